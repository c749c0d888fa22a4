/**
 * A directory over a real folder from which SIGKILL takes what a power loss takes: whatever was written, cut, created or removed and
 * not synced is in this process's memory alone. A file's `sync` saves its contents, the directory's `sync` its names.
 *
 * As a disk does, it saves some of it unasked, whole or torn, in any order; and each life of a process has a disk that is faster or
 * slower than the others'.
 */

import { readdirSync, unlinkSync } from 'node:fs'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import { readBytesMax, type Directory, type Done, type WritableFile } from '../../../src/storage/log/file-port.ts'
import { OperationChain } from '../../../src/storage/node/operation-chain.ts'
import { VolatileFile } from './volatile-file.ts'

export interface VolatileOptions {
  seed: string
  /** How long a sync takes, at least and at most. */
  syncMs: { min: number; max: number }
  /** Of a thousand changes, how many bring something to the disk before it was asked for. */
  leaksPerThousand: number
  /** Called after each change of the counts. */
  counted?: (counts: VolatileCounts) => void
}

export interface VolatileCounts {
  /** What SIGKILL would take now. */
  unsyncedWrites: number
  unsyncedBytes: number
  unsyncedNames: number
  /** Since this process began. */
  leaks: number
  cuts: number
  created: number
  removed: number
  syncs: number
  directorySyncs: number
}

export class VolatileDirectory implements Directory {
  readonly #path: string
  readonly #options: VolatileOptions
  readonly #random: Random
  readonly #files = new Map<string, VolatileFile>()
  /** Hidden here, and in the folder until the directory is synced. */
  readonly #removed = new Set<string>()
  readonly #chains = new Set<OperationChain>()
  readonly #names: OperationChain
  readonly #counts = { leaks: 0, cuts: 0, created: 0, removed: 0, syncs: 0, directorySyncs: 0 }
  #isClosed = false
  #ended: () => void = () => {}

  constructor(path: string, options: VolatileOptions) {
    this.#path = path
    this.#options = options
    this.#random = createRandom(`volatile ${options.seed}`)
    for (const name of readdirSync(path)) this.#files.set(name, new VolatileFile(`${path}/${name}`, true))
    this.#names = this.#chain()
  }

  list(): string[] {
    return [...this.#files.keys()]
  }

  size(name: string): number {
    return this.#files.get(name)?.size ?? 0
  }

  read(name: string, offset: number, length: number): ReturnType<Directory['read']> {
    if (length > readBytesMax) throw new RangeError(`a read of ${length} bytes is above ${readBytesMax}`)
    const file = this.#files.get(name)
    if (file === undefined) return { ok: false, error: { code: 'ERR_DISK_IO', message: `there is no file ${name}` } }
    return { ok: true, bytes: file.read(offset, length) }
  }

  open(name: string): WritableFile {
    if (this.#isClosed) throw new Error(`${this.#path} is closed`)
    const file = this.#files.get(name) ?? this.#create(name)
    const chain = this.#chain()
    const change = (offset: number, bytes: Uint8Array | null, done: Done): void =>
      chain.push((answer) => {
        file.change(offset, bytes)
        if (bytes === null) this.#counts.cuts++
        this.#maybe(() => file.leak(this.#random))
        this.#count()
        answer(null)
      }, done)
    return {
      write: (offset, bytes, done) => change(offset, bytes, done),
      truncate: (length, done) => change(length, null, done),
      sync: (done) => this.#syncFile(file, chain, done),
      close: () => chain.close(),
    }
  }

  remove(name: string, done: Done): void {
    this.#names.push((answer) => {
      const file = this.#files.get(name)
      if (file === undefined) return answer({ code: 'ERR_DISK_IO', message: `there is no file ${name}` })
      this.#files.delete(name)
      if (file.isNamed) this.#removed.add(name)
      this.#counts.removed++
      this.#maybe(() => this.#unlink(name))
      this.#count()
      answer(null)
    }, done)
  }

  sync(done: Done): void {
    this.#names.push(
      (answer) =>
        this.#later(() => {
          this.#counts.directorySyncs++
          for (const name of [...this.#removed]) this.#unlink(name)
          for (const file of this.#files.values()) file.name()
          this.#count()
          answer(null)
        }),
      done,
    )
  }

  /** What is not synced stays where it is, and is lost with the process. */
  close(): Promise<void> {
    this.#isClosed = true
    return new Promise((resolve) => {
      this.#ended = resolve
      for (const chain of [...this.#chains]) chain.close()
    })
  }

  #create(name: string): VolatileFile {
    // A removal that was not synced ends here: the folder would show the old file under the new one's name.
    this.#unlink(name)
    const file = new VolatileFile(`${this.#path}/${name}`, false)
    this.#files.set(name, file)
    this.#counts.created++
    this.#maybe(() => file.name())
    this.#count()
    return file
  }

  #syncFile(file: VolatileFile, chain: OperationChain, done: Done): void {
    chain.push((answer) => {
      // While the disk is at it, some of it is there already.
      this.#maybe(() => file.leak(this.#random))
      this.#later(() => {
        this.#counts.syncs++
        file.sync()
        this.#count()
        answer(null)
      })
    }, done)
  }

  #unlink(name: string): void {
    if (this.#removed.delete(name)) unlinkSync(`${this.#path}/${name}`)
  }

  #maybe(act: () => unknown): void {
    if (!this.#random.chance(this.#options.leaksPerThousand, 1000)) return
    if (act() !== false) this.#counts.leaks++
  }

  #later(act: () => void): void {
    const { min, max } = this.#options.syncMs
    setTimeout(act, this.#random.between(min, max))
  }

  #chain(): OperationChain {
    const chain: OperationChain = new OperationChain(() => {
      this.#chains.delete(chain)
      if (this.#isClosed && this.#chains.size === 0) this.#ended()
    })
    this.#chains.add(chain)
    return chain
  }

  #count(): void {
    const { counted } = this.#options
    if (counted === undefined) return
    let unsyncedWrites = 0
    let unsyncedBytes = 0
    let unsyncedNames = this.#removed.size
    for (const file of this.#files.values()) {
      unsyncedWrites += file.unsyncedWrites
      unsyncedBytes += file.unsyncedBytes
      if (!file.isNamed) unsyncedNames++
    }
    counted({ unsyncedWrites, unsyncedBytes, unsyncedNames, ...this.#counts })
  }
}
