// A disk in virtual time: everything takes a while, and a crash loses what was not synced, names of files included.

import type { Random } from '../../kernel/random.ts'
import type { Directory, Done, FileError, WritableFile } from '../../storage/log/file-port.ts'
import { SimulatedFile } from './simulated-file.ts'

export interface DiskLatency {
  writeUs: number
  syncUsMin: number
  syncUsMax: number
}

export interface DiskOptions {
  random: Random
  latency: DiskLatency
  schedule: (delayUs: number, run: () => void) => void
}

interface Entry {
  file: SimulatedFile
  /** Whether the name outlives a crash for sure. */
  named: boolean
}

export class SimulatedDisk implements Directory {
  readonly #options: DiskOptions
  readonly #entries = new Map<string, Entry>()
  /** Removed, and not yet for sure. */
  readonly #removed = new Map<string, Entry>()
  /** Rises with each crash: what was under way then never answers. */
  #life = 0
  #faults: { operation: 'write' | 'sync'; error: FileError | 'hang' }[] = []
  writes = 0
  syncs = 0
  bytesWritten = 0
  bytesLost = 0

  constructor(options: DiskOptions) {
    this.#options = options
  }

  /** The next write or sync fails, or never answers. */
  failNext(operation: 'write' | 'sync', error: FileError | 'hang'): void {
    this.#faults.push({ operation, error })
  }

  list(): string[] {
    return [...this.#entries.keys()]
  }

  size(name: string): number {
    return this.#entries.get(name)?.file.size ?? 0
  }

  read(
    name: string,
    offset: number,
    length: number,
  ): { ok: true; bytes: Uint8Array } | { ok: false; error: FileError } {
    const entry = this.#entries.get(name)
    if (entry === undefined) return { ok: false, error: { code: 'ERR_DISK_IO', message: `no file ${name}` } }
    return { ok: true, bytes: entry.file.read(offset, length) }
  }

  open(name: string): WritableFile {
    let entry = this.#entries.get(name)
    if (entry === undefined) {
      entry = { file: new SimulatedFile(), named: false }
      this.#entries.set(name, entry)
    }
    const { file } = entry
    return {
      write: (offset, bytes, done) => this.#write(file, offset, bytes, done),
      sync: (done) => this.#syncFile(file, done),
      truncate: (length, done) =>
        this.#later(this.#options.latency.writeUs, done, () => {
          file.truncate(length)
          return null
        }),
      close: () => {},
    }
  }

  remove(name: string, done: Done): void {
    this.#later(this.#options.latency.writeUs, done, () => {
      const entry = this.#entries.get(name)
      if (entry === undefined) return { code: 'ERR_DISK_IO', message: `no file ${name}` }
      this.#entries.delete(name)
      if (entry.named) this.#removed.set(name, entry)
      return null
    })
  }

  sync(done: Done): void {
    const created = [...this.#entries.values()]
    const removed = [...this.#removed.keys()]
    this.#later(this.#syncUs(), done, () => {
      this.syncs++
      for (const entry of created) entry.named = true
      for (const name of removed) this.#removed.delete(name)
      return null
    })
  }

  /** Power is lost: what was under way never answers, and what was not synced may be gone. Returns the bytes lost. */
  crash(): number {
    const { random } = this.#options
    this.#life++
    this.#faults = []
    let lost = 0
    for (const [name, entry] of [...this.#removed]) {
      if (random.chance(1, 2) && !this.#entries.has(name)) this.#entries.set(name, entry)
    }
    this.#removed.clear()
    for (const [name, entry] of [...this.#entries]) {
      const size = entry.file.size
      lost += entry.file.crash(random)
      if (entry.named || random.chance(1, 2)) {
        entry.named = true
        continue
      }
      this.#entries.delete(name)
      lost += size
    }
    this.bytesLost += lost
    return lost
  }

  /** Applies at once: the order of changes is the order of calls. Only the answer takes its time. */
  #write(file: SimulatedFile, offset: number, bytes: Uint8Array, done: Done): void {
    const fault = this.#takeFault('write')
    if (fault === 'hang') return
    this.writes++
    this.bytesWritten += bytes.length
    if (fault === null) file.write(offset, bytes)
    this.#later(this.#options.latency.writeUs, done, () => fault)
  }

  #syncFile(file: SimulatedFile, done: Done): void {
    const fault = this.#takeFault('sync')
    if (fault === 'hang') return
    const changes = file.changes
    this.#later(this.#syncUs(), done, () => {
      this.syncs++
      if (fault === null) file.sync(changes)
      return fault
    })
  }

  #takeFault(operation: 'write' | 'sync'): FileError | 'hang' | null {
    const index = this.#faults.findIndex((fault) => fault.operation === operation)
    return index < 0 ? null : this.#faults.splice(index, 1)[0]!.error
  }

  #syncUs(): number {
    const { syncUsMin, syncUsMax } = this.#options.latency
    return this.#options.random.between(syncUsMin, syncUsMax)
  }

  #later(delayUs: number, done: Done, act: () => FileError | null): void {
    const life = this.#life
    this.#options.schedule(delayUs, () => {
      if (life === this.#life) done(act())
    })
  }
}
