// A directory in memory that keeps whatever is written: for tests that open a damaged log thousands of times.

import type { Directory, Done, FileError, WritableFile } from '../../../src/storage/log/file-port.ts'

export class MemoryDirectory implements Directory {
  readonly files: Map<string, Uint8Array>

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.files = new Map(files)
  }

  list(): string[] {
    return [...this.files.keys()]
  }

  size(name: string): number {
    return this.files.get(name)?.length ?? 0
  }

  read(
    name: string,
    offset: number,
    length: number,
  ): { ok: true; bytes: Uint8Array } | { ok: false; error: FileError } {
    const bytes = this.files.get(name)
    if (bytes === undefined) return { ok: false, error: { code: 'ERR_DISK_IO', message: `no file ${name}` } }
    return { ok: true, bytes: bytes.slice(offset, offset + length) }
  }

  open(name: string): WritableFile {
    if (!this.files.has(name)) this.files.set(name, new Uint8Array(0))
    return {
      write: (offset, bytes, done) => {
        const before = this.files.get(name)!
        const after = new Uint8Array(Math.max(before.length, offset + bytes.length))
        after.set(before)
        after.set(bytes, offset)
        this.files.set(name, after)
        soon(done)
      },
      sync: soon,
      truncate: (length, done) => {
        this.files.set(name, this.files.get(name)!.slice(0, length))
        soon(done)
      },
      close: () => {},
    }
  }

  remove(name: string, done: Done): void {
    this.files.delete(name)
    soon(done)
  }

  sync(done: Done): void {
    soon(done)
  }
}

function soon(done: Done): void {
  queueMicrotask(() => done(null))
}
