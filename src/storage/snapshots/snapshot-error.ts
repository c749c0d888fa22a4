// What the store answers when it cannot do what it was asked.

import type { FileErrorCode } from '../log/file-port.ts'

export type SnapshotErrorCode =
  | FileErrorCode
  | 'ERR_SNAPSHOT_INCOMPLETE' // chunks are missing still
  | 'ERR_SNAPSHOT_UNKNOWN' // no whole snapshot has this header

export interface SnapshotError {
  code: SnapshotErrorCode
  message: string
}

export type SnapshotDone = (error: SnapshotError | null) => void

export type SnapshotRefusalCode =
  | 'ERR_SNAPSHOT_FOREIGN_DIRECTORY'
  | 'ERR_SNAPSHOT_FORMAT_VERSION'
  | 'ERR_SNAPSHOT_UNREADABLE'

export interface SnapshotRefusal {
  ok: false
  code: SnapshotRefusalCode
  /** One sentence for a person, with the next step. */
  message: string
}
