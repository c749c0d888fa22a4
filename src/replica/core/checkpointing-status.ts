// How a replica's checkpoints are, for operators.

import type { Height } from '../../kernel/ids.ts'
import type { Awaited } from '../../kernel/protocol.ts'
import type { TransferStatus } from '../checkpoints/transfer-status.ts'

export interface CheckpointingStatus {
  /** Of the newest snapshot that is on disk and certified; 0: none yet. */
  stableHeight: Height
  /** Of the newest checkpoint that a quorum signed. */
  certifiedHeight: Height
  /** Of the state that was last taken over from others in this life; 0: none. */
  restoredHeight: Height
  /** Whose signatures are missing on the newest checkpoint; null: nothing is waited for. */
  awaited: Awaited | null
  transfer: TransferStatus | null
  /** Of states, to others. */
  bytesServed: number
  /** At most, for now: while this replica leads, a quarter of `transferBytesPerSecond`. */
  servedBytesPerSecondMax: number
}
