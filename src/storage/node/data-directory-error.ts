// What the operating system says about files, in our words.

import type { FileError, FileErrorCode } from '../log/file-port.ts'
import type { LogRefusalCode } from '../log/recovery.ts'
import type { SnapshotRefusalCode } from '../snapshots/snapshot-error.ts'

export type DataDirectoryErrorCode =
  | 'ERR_DATA_DIRECTORY_MISSING'
  | 'ERR_DATA_DIRECTORY_NOT_EMPTY' // making it would overwrite what is there
  | 'ERR_DIRECTORY_LOCKED' // another process has it open, or may have
  | FileErrorCode
  | LogRefusalCode
  | SnapshotRefusalCode

export class DataDirectoryError extends Error {
  readonly code: DataDirectoryErrorCode

  /** `message` is one sentence with the next step. */
  constructor(code: DataDirectoryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DataDirectoryError'
    this.code = code
  }
}

/** `what` is what could not be done, as `log-0000000001 cannot be written`. */
export function fileError(what: string, cause: unknown): FileError {
  const reason = errorNumberOf(cause)
  return reason === 'ENOSPC' || reason === 'EDQUOT'
    ? { code: 'ERR_DISK_FULL', message: `${what} (${reason}): free space on its disk` }
    : { code: 'ERR_DISK_IO', message: `${what} (${reason}): check the disk and who may use the directory` }
}

/** The same for whatever cannot answer with a value. */
export function diskError(what: string, cause: unknown): DataDirectoryError {
  const { code, message } = fileError(what, cause)
  return new DataDirectoryError(code, message, { cause })
}

/** Such as `ENOENT`. */
export function errorNumberOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause)
}
