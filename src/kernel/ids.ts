// The numbers that name things. All are safe integers, checked where they are decoded.

import { u16, type Codec } from '../wire/codec.ts'

/** A replica's number in the network file: 1 to 65,535, the same in every epoch, never given twice. */
export type ReplicaId = number & { readonly __brand: 'ReplicaId' }

export function replicaId(value: number): ReplicaId {
  if (!Number.isInteger(value) || value < 1 || value > 0xffff) throw new RangeError(`${value} is no replica id`)
  return value as ReplicaId
}

/** Any number of 16 bits decodes: whether such a replica exists is for the membership to say. */
export const replicaIdCodec: Codec<ReplicaId> = u16 as Codec<ReplicaId>

/** From 1 on; 0 stands for "before the first". */
export type EpochNumber = number
/** The position of a block in the one order; the first block of a network has height 1. */
export type Height = number
/** pbft and hotstuff count views, raft counts terms. */
export type View = number
/** Milliseconds since 1970 as agreed in blocks. */
export type TimestampMs = number

export type ProtocolName = 'raft' | 'pbft' | 'hotstuff'
export const protocolNames: readonly ProtocolName[] = ['raft', 'pbft', 'hotstuff']

export type FaultModel = 'crash' | 'byzantine'

export function faultModelOf(protocol: ProtocolName): FaultModel {
  return protocol === 'raft' ? 'crash' : 'byzantine'
}

/** Nobody leads for long: who does is a matter of the view, and a new view comes with every block. */
export function leadersTakeTurns(protocol: ProtocolName): boolean {
  return protocol === 'hotstuff'
}

/** The 32-byte hash of the first network file: part of everything that is signed. */
export type NetworkId = Uint8Array
export const networkIdBytes = 32
