// A directory of a simulated disk of which one operation fails: writing, syncing, cutting or removing, whichever comes at its number.

import type { Scheduler } from '../../src/simulator/scheduler.ts'
import type { Directory, Done, FileError, WritableFile } from '../../src/storage/log/file-port.ts'

export const failure: FileError = { code: 'ERR_DISK_IO', message: 'EIO' }

/** The operation of this number fails, and does nothing. */
export class FailingDirectory implements Directory {
  readonly #disk: Directory
  readonly #failing: number
  readonly #later: (run: () => void) => void
  operations = 0
  hasFailed = false

  constructor({ disk, scheduler }: { disk: Directory; scheduler: Scheduler }, failing: number) {
    this.#disk = disk
    this.#later = (run) => void scheduler.after(20, run)
    this.#failing = failing
  }

  list(): string[] {
    return this.#disk.list()
  }

  size(name: string): number {
    return this.#disk.size(name)
  }

  read(name: string, offset: number, bytesMax: number): ReturnType<Directory['read']> {
    return this.#disk.read(name, offset, bytesMax)
  }

  open(name: string): WritableFile {
    const file = this.#disk.open(name)
    return {
      write: (offset, bytes, done) => this.#attempt(done, () => file.write(offset, bytes, done)),
      sync: (done) => this.#attempt(done, () => file.sync(done)),
      truncate: (size, done) => this.#attempt(done, () => file.truncate(size, done)),
      close: () => file.close(),
    }
  }

  remove(name: string, done: Done): void {
    this.#attempt(done, () => this.#disk.remove(name, done))
  }

  sync(done: Done): void {
    this.#attempt(done, () => this.#disk.sync(done))
  }

  #attempt(done: Done, operation: () => void): void {
    if (this.operations++ !== this.#failing) return operation()
    this.hasFailed = true
    this.#later(() => done(failure))
  }
}
