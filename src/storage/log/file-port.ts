// One directory of files, as the log sees it. Reading is synchronous and bounded, because only recovery and inspection read; what
// changes anything is asynchronous and answers by a callback, because a disk takes its time.

export type FileErrorCode = 'ERR_DISK_FULL' | 'ERR_DISK_IO'

export interface FileError {
  code: FileErrorCode
  message: string
}

export type Done = (error: FileError | null) => void

/** A file that is open for writing. Calls may overlap; they take effect in the order in which they were made. */
export interface WritableFile {
  /** Behind the end, the file grows. The bytes belong to the port until `done`. */
  write(offset: number, bytes: Uint8Array, done: Done): void
  /** Everything whose write has answered is on disk when this answers; without an answer nothing is known. */
  sync(done: Done): void
  truncate(length: number, done: Done): void
  close(): void
}

export interface Directory {
  /** Names of all files, in any order. */
  list(): string[]
  size(name: string): number
  /** At most `length` bytes; fewer at the end of the file. At most `readBytesMax` at once. */
  read(name: string, offset: number, length: number): { ok: true; bytes: Uint8Array } | { ok: false; error: FileError }
  /** Opens for writing, and creates the file if there is none: its name is durable after the next `sync` of the directory. */
  open(name: string): WritableFile
  remove(name: string, done: Done): void
  /** Makes creations and removals durable. */
  sync(done: Done): void
}

/** The checksum: CRC-32 of zlib, with which a running value can be continued. */
export type Crc32 = (bytes: Uint8Array, previous: number) => number

/** Largest single read: recovery of a long log goes in pieces, so that its host can breathe. */
export const readBytesMax: number = 1024 * 1024
