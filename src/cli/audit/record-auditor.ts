// How one protocol's records are read and judged.

import type { Codec } from '../../wire/codec.ts'
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
