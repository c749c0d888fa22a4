// What stands between a replica and its verifier: proposals come first, and what a verdict sets off ends no process.

import { describe, expect, it } from 'vitest'
import { threadsMax, verifiedInTurnMax } from '../../src/crypto/node/ahead-verifier.ts'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import type { Epoch } from '../../src/kernel/membership.ts'
import { defaultParameters } from '../../src/kernel/parameters.ts'
import { Verification } from '../../src/replica/verification.ts'

const signer = nodeEd25519.signer(new Uint8Array(32).fill(1))
const message = Uint8Array.of(1, 2, 3)
const signed = { publicKey: signer.publicKey, message, signature: signer.sign(message) }
/** More than threads have at once, and more than a turn of the loop verifies: whichever this machine has cores for. */
const many = Array.from({ length: threadsMax + verifiedInTurnMax + 1 }, () => signed)

function create() {
  const thrown: unknown[] = []
  let turns = 0
  const verification = new Verification({
    epoch: { network: new Uint8Array(32), parameters: defaultParameters('required') } as unknown as Epoch,
    deliver: () => {},
    respond: () => {},
    turn: () => turns++,
    guarded: (step) => {
      try {
        step()
      } catch (error) {
        thrown.push(error)
      }
    },
  })
  return { verification, thrown, turns: () => turns }
}

describe('verification', () => {
  it('hands on what comes first', async () => {
    const { verification, turns } = create()
    const said: string[] = []
    await new Promise<void>((resolve) => {
      verification.ahead(many, () => (said.push('later'), resolve()), 'later')
      verification.ahead([signed], () => said.push('first'), 'first')
    })
    expect([said, turns()]).toEqual([['first', 'later'], 2])
    verification.close()
  })

  it('guards what a verdict sets off, and asks for a turn all the same', async () => {
    const { verification, thrown, turns } = create()
    const bug = new Error('a bug of ours')
    verification.ahead(
      [signed],
      () => {
        throw bug
      },
      'first',
    )
    while (turns() === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(thrown).toEqual([bug])
    verification.close()
  })
})
