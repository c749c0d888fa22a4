// What this room asks of the operating system, so that a test can put a disk there that is full, slow or failing.

import * as fs from 'node:fs'

type Answer = (error: NodeJS.ErrnoException | null) => void

export interface FileSystem {
  readonly constants: { readonly O_RDWR: number; readonly O_CREAT: number }
  openSync(path: string, flags: string | number, mode?: number): number
  closeSync(descriptor: number): void
  readSync(descriptor: number, into: Uint8Array, offset: number, length: number, position: number): number
  readdirSync(path: string): string[]
  statSync(path: string): { size: number }
  writeSync(descriptor: number, bytes: Uint8Array, offset: number, length: number, position: number): number
  write(
    descriptor: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
    answer: (error: NodeJS.ErrnoException | null, written: number) => void,
  ): void
  ftruncate(descriptor: number, length: number, answer: Answer): void
  fdatasync(descriptor: number, answer: Answer): void
  fsync(descriptor: number, answer: Answer): void
  unlink(path: string, answer: Answer): void
}

export const nodeFileSystem: FileSystem = fs

/** A descriptor is gone even when closing it fails, and what was to be kept has been synced before. */
export function closeQuietly(files: Pick<FileSystem, 'closeSync'>, descriptor: number): void {
  try {
    files.closeSync(descriptor)
  } catch {
    // See above.
  }
}
