// Whose votes count, and who is accused of two: by signatures of which the tests say themselves whether they are right, since a signer
// may make several right ones of one message.

import { describe, expect, it } from 'vitest'
import { CertificateRules } from '../../../src/kernel/checkpoint-rules.ts'
import type { SignedStatement } from '../../../src/kernel/evidence.ts'
import { replicaId } from '../../../src/kernel/ids.ts'
import { invalidMax } from '../../../src/replica/checkpoints/limits.ts'
import { VoteBook } from '../../../src/replica/checkpoints/vote-book.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { Group } from './group.ts'

const two = replicaId(2)
const wrong = 0

function book(): VoteBook {
  const verifier = { verify: (_key: Uint8Array, _message: Uint8Array, signature: Uint8Array) => signature[0] !== wrong }
  return new VoteBook(
    new CertificateRules({ epoch: new Group().epoch, hasher: simulatedHasher, verifier, verifyDecision: () => true }),
  )
}

/** The signature is right unless it is 0. */
const vote = (body: number, signature: number): SignedStatement => ({
  body: Uint8Array.of(body),
  signature: Uint8Array.of(signature),
})

describe('a second vote of one sender', () => {
  it.each([
    ['not looked at', []],
    ['verified', [vote(7, wrong)]],
  ])('for another header is a lie, where the first was %s', (_, before) => {
    const votes = book()
    // Who has sent a wrong signature once has its later ones verified at once.
    for (const statement of before) votes.record(two, 64, statement)
    for (const statement of before) votes.record(two, 64, { ...statement, signature: Uint8Array.of(wrong, 1) })
    expect(votes.record(two, 128, vote(1, 1))).toEqual({ kind: 'new' })
    expect(votes.record(two, 128, vote(2, 1))).toMatchObject({
      kind: 'equivocation',
      first: vote(1, 1),
      second: vote(2, 1),
    })
  })

  it('for the same header is none, however it is signed', () => {
    const votes = book()
    expect(votes.record(two, 128, vote(1, 1))).toEqual({ kind: 'new' })
    expect(votes.record(two, 128, vote(1, 2)).kind).not.toBe('equivocation')
    expect(votes.signers(128, Uint8Array.of(1))).toEqual([two])
    expect(votes.record(two, 128, vote(1, 1)).kind).toBe('known')
  })

  it('takes the place of a wrong one, also of a sender that was accused', () => {
    const votes = book()
    votes.record(two, 64, vote(1, 1))
    expect(votes.record(two, 64, vote(2, 1)).kind).toBe('equivocation')
    votes.record(two, 128, vote(1, wrong))
    expect(votes.record(two, 128, vote(2, 1))).toEqual({ kind: 'dropped', reason: 'second vote' })
    expect(votes.record(two, 128, vote(1, 1))).toEqual({ kind: 'new' })
    expect(votes.record(two, 128, vote(1, 2))).toEqual({ kind: 'known' })
  })

  it('that is wrong accuses nobody, and counts against its sender', () => {
    const votes = book()
    votes.record(two, 128, vote(1, 1))
    for (let attempt = 0; attempt < invalidMax; attempt++) {
      expect(votes.record(two, 128, vote(2, wrong))).toEqual({ kind: 'dropped', reason: 'wrong signature' })
    }
    expect(votes.muted(two)).toBe(true)
  })
})
