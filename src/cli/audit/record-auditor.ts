// How one protocol's records are read and judged.

import type { Codec } from '../../wire/codec.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { payloadDigest, type BlockHeader } from '../../kernel/block.ts'
import type { Hasher } from '../../kernel/crypto-ports.ts'
import type { ProtocolPorts } from '../../kernel/protocol.ts'

export type AuditPorts = Pick<ProtocolPorts, 'hasher' | 'verifier'>

/** Of one log, in the order of its records. */
export interface RecordAuditor<Record> {
  readonly codec: Codec<Record>
  /** Null, or what is wrong with it. Tells the witness what was verified. */
  judge(record: Record): string | null
  /** Decisions whose proofs hold. */
  readonly decided: number
  /** Places at which heights are left out, as a fetched state does. */
  readonly gaps: number
}

/** Null in the place of the payload: an earlier record has it. */
export function payloadFault(
  hasher: Hasher,
  { payloadDigest: expected }: BlockHeader,
  payload: Uint8Array | null,
): string | null {
  if (payload === null || equalBytes(payloadDigest(hasher, payload), expected)) return null
  return 'with another payload than it names'
}
