// Members, blocks that are what they say, and a proof that shows something exactly if its term is 1.

import { payloadDigest } from '../../../src/kernel/block.ts'
import { publicKeyBytes } from '../../../src/kernel/crypto-ports.ts'
import { replicaId, type Height, type ReplicaId } from '../../../src/kernel/ids.ts'
import type { Epoch, Member } from '../../../src/kernel/membership.ts'
import { defaultParameters } from '../../../src/kernel/parameters.ts'
import type { DecidedBlock } from '../../../src/replica/fetching/fetching-messages.ts'
import { hasher } from '../../execution/fixtures.ts'

export const id = (number: number): ReplicaId => replicaId(number)

export function epochOf(voters: number): Epoch {
  const members = Array.from({ length: voters + 1 }, (_, index): Member => ({
    id: id(index + 1),
    name: `replica ${index + 1}`,
    role: index === voters ? 'learner' : 'voter',
    consensusKey: new Uint8Array(publicKeyBytes).fill(index),
    linkKey: new Uint8Array(publicKeyBytes).fill(index),
    addresses: [],
    priority: 0,
  }))
  const parameters = defaultParameters('required')
  return { network: new Uint8Array(32), number: 1, firstHeight: 1, protocol: 'pbft', members, parameters }
}

export function payloadAt(height: Height): Uint8Array {
  return new Uint8Array(8).fill(height % 256)
}

export function blockAt(height: Height): DecidedBlock {
  const payload = payloadAt(height)
  const header = { epoch: 1, height, timestamp: 1, payloadDigest: payloadDigest(hasher, payload) }
  return { block: { header, payload }, proof: { kind: 'raft', term: 1, index: height } }
}

export function blocksAt(fromHeight: Height, toHeight: Height): DecidedBlock[] {
  return Array.from({ length: toHeight - fromHeight + 1 }, (_, index) => blockAt(fromHeight + index))
}
