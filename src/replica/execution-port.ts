// Execution as the replica drives it: blocks in, executed headers and replies out.

import type { Block } from '../kernel/block.ts'
import type { Envelope, SessionId } from '../kernel/envelope.ts'
import type { ExecutedHeader } from '../kernel/executed-header.ts'
import type { Height } from '../kernel/ids.ts'

export interface OperationReply {
  kind: 'operation'
  session: SessionId
  number: number
  index: number
  /** False when it had been executed before, and this is what was kept of that. */
  fresh: boolean
  /** Encoded outcome: what the results leaf binds. */
  outcome: Uint8Array
}

export interface OpeningReply {
  kind: 'opening'
  client: Uint8Array
  nonce: Uint8Array
  index: number
  outcome: Uint8Array
}

export interface ExecutedBlock {
  header: ExecutedHeader
  /** The well-formed envelopes of the block, in order. */
  envelopes: readonly Envelope[]
  replies: readonly (OperationReply | OpeningReply)[]
}

export interface Execution {
  readonly height: Height
  execute(block: Block): ExecutedBlock
  /** Total on any bytes: a query that cannot be read gets an answer that says so. */
  query(query: Uint8Array): Uint8Array
}
