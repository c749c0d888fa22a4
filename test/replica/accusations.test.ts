// Goal: what a protocol accuses a member of is in the data directory, in the status and in the events of a real replica, and whatever the
// disk says of it, the replica goes on. Method: one real replica of three, whose protocol accuses on its first step.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import { signingBytes, signingDomains } from '../../src/kernel/domains.ts'
import type { Evidence } from '../../src/kernel/evidence.ts'
import { executedHeaderCodec } from '../../src/kernel/executed-header.ts'
import { replicaId } from '../../src/kernel/ids.ts'
import type { Protocol, ProtocolDefinition } from '../../src/kernel/protocol.ts'
import { readIdentity } from '../../src/replica/options.ts'
import { definitionOf } from '../../src/replica/protocols.ts'
import { crc32 } from '../../src/storage/node/crc32.ts'
import { openNodeDirectory, type NodeDirectory } from '../../src/storage/node/node-directory.ts'
import type { ClosableDirectory } from '../../src/storage/node/open-data-directory.ts'
import { readEvidence } from '../../src/storage/evidence/evidence-reader.ts'
import { encode } from '../../src/wire/codec.ts'
import { put, testReplicas, type TestReplicas } from './replicas.ts'

let replicas: TestReplicas
beforeEach(async () => {
  replicas = await testReplicas(3)
})
afterEach(() => replicas.close())

/** Replica 2 has signed two headers of one height. */
function lie(): Evidence {
  const { consensus } = readIdentity(replicas.folder(2))
  const signer = nodeEd25519.signer(consensus.secretKey)
  const digest = new Uint8Array(32)
  const said = (time: number) => {
    const roots = { parent: digest, blockDigest: digest, resultsRoot: digest, stateRoot: digest }
    const body = encode(executedHeaderCodec, { epoch: 1, height: 128, ...roots, time })
    const scope = { network: replicas.network.epoch.network, epoch: 1, protocol: 'raft' } as const
    return { body, signature: signer.sign(signingBytes('checkpoint', scope, body)) }
  }
  const about = { replica: replicaId(2), protocol: 'raft', epoch: 1, domainTag: signingDomains.checkpoint } as const
  return { ...about, first: said(1), second: said(2) }
}

/** Raft, which accuses when it starts. */
function accusing(evidence: Evidence): ProtocolDefinition<unknown, unknown> {
  const raft = definitionOf('raft')
  const create = (options: Parameters<typeof raft.create>[0]): Protocol<unknown, unknown> => {
    const inner = raft.create(options)
    return {
      step: (input, now, effects) => {
        inner.step(input, now, effects)
        if (input.kind === 'start') effects.accuse(evidence)
      },
      status: (now) => inner.status(now),
      leadership: () => inner.leadership(),
    }
  }
  return { ...raft, create }
}

function kept(directory: NodeDirectory): Evidence[] {
  return [...readEvidence({ directory, crc32 })].map(({ evidence }) => evidence)
}

it('keeps the evidence, and says so', async () => {
  const evidence = lie()
  const replica = replicas.make(1, { definition: accusing(evidence) })
  const accused: unknown[] = []
  replica.events.on('accused', (event) => accused.push(event))
  await replica.start()
  await expect.poll(() => accused.length).toBe(1)
  expect(accused).toEqual([{ replica: 2, domain: 'checkpoint', about: 'height 128', isKept: true }])
  expect(replica.status()).toMatchObject({
    evidence: { count: 1, replicas: [2], problem: null },
    warnings: ['has proof that replica 2 contradicts itself (height 128): quorate audit shows it'],
  })
  await replica.close()
  const directory = openNodeDirectory(`${replicas.dataDir(1)}/evidence`)
  expect(kept(directory)).toEqual([evidence])
  await directory.close()
})

it('goes on where the disk takes no evidence, and says so', async () => {
  const openDirectory = (path: string): ClosableDirectory => {
    if (path.endsWith('/evidence')) throw new Error('the disk is gone')
    return openNodeDirectory(path)
  }
  const one = replicas.make(1, { definition: accusing(lie()), openDirectory })
  const two = replicas.make(2)
  await Promise.all([one.start(), two.start()])
  await one.submit(put('value'))
  expect(one.status().evidence).toEqual({ count: 0, replicas: [2], problem: 'the disk is gone' })
})
