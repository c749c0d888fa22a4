// What execution makes of one decided block.

import type { Digest, PublicKey } from '../kernel/crypto-ports.ts'
import type { Envelope, SessionId } from '../kernel/envelope.ts'
import type { Height, TimestampMs } from '../kernel/ids.ts'

/** What became of one number of a session, for the client that waits for it. */
export interface OperationReply {
  kind: 'operation'
  client: PublicKey
  session: SessionId
  /** A refusal of a whole envelope bears its first number, a close bears 0. */
  number: number
  /** Where it was executed: for a reply that was stored, the height and index of then. So all correct replicas give equal replies. */
  height: Height
  index: number
  /** False when it was executed before, and this is what was kept of that. */
  fresh: boolean
  /** Encoded (kernel/outcome.ts): what the results leaf binds. */
  outcome: Uint8Array
}

/** What became of an opening. */
export interface OpeningReply {
  kind: 'opening'
  client: PublicKey
  nonce: Uint8Array
  height: Height
  index: number
  outcome: Uint8Array
}

/** Its executed header comes with `takeHeaders`, perhaps later (executor.ts). */
export interface ExecutedBlock {
  height: Height
  /** Agreed time. */
  timestamp: TimestampMs
  /** The envelopes of the block that can be read, in order: what is refused too. */
  envelopes: readonly Envelope[]
  replies: readonly (OperationReply | OpeningReply)[]
  /** Digests of the results' leaves, in order: whoever keeps them can prove each result. */
  leaves: readonly Digest[]
}
