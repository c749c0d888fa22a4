/**
 * A disk in virtual time: everything takes a while, and a crash loses what was not synced, names of files included.
 *
 * THE PROCESS sees the directory (the port of storage/log): through the page cache, which shows what was written whether it is on disk
 * or not. THE WORLD makes faults: some for a while (slow, full, syncs that fail or hang), some once (a read that flips bits), some for
 * good (rot, a write that landed elsewhere, a wiped or restored directory). They draw from a source of their own.
 */

import { createRandom, type Random } from '../../kernel/random.ts'
import type { Directory, Done, FileError, WritableFile } from '../../storage/log/file-port.ts'
import type { Contents } from './contents.ts'
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
  /** What faults draw from, so that a disk without them draws what it always drew. */
  faultRandom?: Random
}

/** Bytes of a file. */
export interface Place {
  name: string
  offset: number
  length: number
}

/** A copy of all files, made while they were in use. */
export type DiskImage = ReadonlyMap<string, Contents>

interface Entry {
  file: SimulatedFile
  /** Whether the name outlives a crash for sure. */
  named: boolean
}

interface ReadRot {
  name: string
  offset: number
  mask: number
  /** Reads of this byte that are still answered as it is. */
  spared: number
}

export class SimulatedDisk implements Directory {
  readonly #options: DiskOptions
  readonly #faultRandom: Random
  readonly #entries = new Map<string, Entry>()
  /** Removed, and not yet for sure. */
  readonly #removed = new Map<string, Entry>()
  /** Rises with each end of the process: what was under way then never answers. */
  #life = 0
  #faults: { operation: 'write' | 'sync'; error: FileError | 'hang' }[] = []
  #readRot: ReadRot | null = null
  /** Everything takes so many times as long. */
  slowness = 1
  /** Nothing grows. What is written in its place still fits. */
  full = false
  syncing: 'answers' | 'fails' | 'hangs' = 'answers'
  writes = 0
  syncs = 0
  bytesWritten = 0
  bytesLost = 0
  /** What the world did to the present process: reads it falsified, errors it answered with, requests it never answered. */
  readsRotted = 0
  errorsAnswered = 0
  requestsHung = 0

  constructor(options: DiskOptions) {
    this.#options = options
    this.#faultRandom = options.faultRandom ?? createRandom('disk faults')
  }

  // ---- What the process sees.

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
    const bytes = entry.file.read(offset, length)
    this.#rotRead(name, offset, bytes)
    return { ok: true, bytes }
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

  /** Names are in the file system's journal: those of a sync that failed are not forgotten, and the next one makes them durable. */
  sync(done: Done): void {
    if (this.syncing === 'hangs') return this.#hang()
    const created = [...this.#entries.values()]
    const removed = [...this.#removed.keys()]
    const fault = this.syncing === 'fails' ? syncError : null
    this.#later(this.#syncUs(), done, () => {
      this.syncs++
      if (fault !== null) return this.#answer(fault)
      for (const entry of created) entry.named = true
      for (const name of removed) this.#removed.delete(name)
      return null
    })
  }

  // ---- What ends a process.

  /** Power is lost: what was under way never answers, and what was not synced may be gone. Returns the bytes lost. */
  crash(): number {
    const { random } = this.#options
    this.kill()
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

  /** The process is killed and the machine goes on: what was under way never answers, and the page cache stays as it is. */
  kill(): void {
    this.#life++
    this.readsRotted = 0
    this.errorsAnswered = 0
    this.requestsHung = 0
  }

  // ---- What the world does to it.

  /** The next write or sync fails, or never answers. */
  failNext(operation: 'write' | 'sync', error: FileError | 'hang'): void {
    this.#faults.push({ operation, error })
  }

  /** Ends every fault that can end. What is damaged stays damaged. */
  heal(): void {
    this.#faults = []
    this.#readRot = null
    this.slowness = 1
    this.full = false
    this.syncing = 'answers'
  }

  /** One read of this byte, after `spared` others, sees it with these bits flipped. */
  rotOneRead(place: { name: string; offset: number }, mask: number, spared: number): void {
    this.#readRot = { ...place, mask, spared }
  }

  /** Bits on the platter flip and stay flipped. `cached`: a process sees it at once, and not only after the next crash. */
  rot({ name, offset }: { name: string; offset: number }, mask: number, cached: boolean): number {
    const { file } = this.#known(name)
    const rotten = file.durable.slice(offset, 1).map((byte) => byte ^ mask)
    file.damage(offset, rotten, cached)
    return rotten[0]!
  }

  /** What had been written `from` went `to` instead: there it stands, and in its own place is nothing. */
  misdirect(from: Place, to: { name: string; offset: number }, cached: boolean): void {
    const source = this.#known(from.name).file
    const bytes = source.durable.slice(from.offset, from.length)
    source.damage(from.offset, new Uint8Array(bytes.length), cached)
    this.#known(to.name).file.damage(to.offset, bytes, cached)
  }

  /** All files are gone: another disk was mounted, or somebody cleaned up. The process must be down. */
  wipe(): void {
    this.kill()
    this.#entries.clear()
    this.#removed.clear()
    // It was to be a byte of what is gone.
    this.#readRot = null
  }

  /** The directory as a process sees it now. */
  backup(): DiskImage {
    const image = new Map<string, Contents>()
    for (const [name, { file }] of this.#entries) image.set(name, file.image())
    return image
  }

  /** The directory is what it was when the backup was made. The process must be down. */
  restore(image: DiskImage): void {
    this.wipe()
    for (const [name, contents] of image) {
      this.#entries.set(name, { file: new SimulatedFile(contents.copy()), named: true })
    }
  }

  /** What the platter holds, whatever the page cache says; only names that a crash would leave. */
  get platter(): Pick<Directory, 'list' | 'size' | 'read'> {
    const contents = (name: string): Contents | undefined => this.#entries.get(name)?.file.durable
    return {
      list: () => [...this.#entries].filter(([, entry]) => entry.named).map(([name]) => name),
      size: (name) => contents(name)?.length ?? 0,
      read: (name, offset, length) => ({ ok: true, bytes: contents(name)?.slice(offset, length) ?? new Uint8Array(0) }),
    }
  }

  /** Applies at once: the order of changes is the order of calls. Only the answer takes its time. */
  #write(file: SimulatedFile, offset: number, bytes: Uint8Array, done: Done): void {
    const fault = this.#takeFault('write')
    if (fault === 'hang') return this.#hang()
    this.writes++
    const room = this.full ? Math.max(0, file.size - offset) : bytes.length
    if (fault === null && room < bytes.length) return this.#writeInPart(file, offset, bytes, room, done)
    this.bytesWritten += bytes.length
    if (fault === null) file.write(offset, bytes)
    this.#later(this.#options.latency.writeUs, done, () => (fault === null ? null : this.#answer(fault)))
  }

  /** A full disk may take the first bytes of what does not fit. */
  #writeInPart(file: SimulatedFile, offset: number, bytes: Uint8Array, room: number, done: Done): void {
    const taken = this.#faultRandom.between(room, bytes.length - 1)
    if (taken > 0) file.write(offset, bytes.subarray(0, taken))
    this.bytesWritten += taken
    this.#later(this.#options.latency.writeUs, done, () => this.#answer(fullError))
  }

  #syncFile(file: SimulatedFile, done: Done): void {
    const asked = this.#takeFault('sync')
    if (asked === 'hang' || this.syncing === 'hangs') return this.#hang()
    const fault = asked ?? (this.syncing === 'fails' ? syncError : null)
    const changes = file.changes
    this.#later(this.#syncUs(), done, () => {
      this.syncs++
      if (fault === null) {
        file.sync(changes)
        return null
      }
      file.forget(changes, this.#faultRandom)
      return this.#answer(fault)
    })
  }

  #takeFault(operation: 'write' | 'sync'): FileError | 'hang' | null {
    const index = this.#faults.findIndex((fault) => fault.operation === operation)
    return index < 0 ? null : this.#faults.splice(index, 1)[0]!.error
  }

  #hang(): void {
    this.requestsHung++
  }

  #answer(error: FileError): FileError {
    this.errorsAnswered++
    return error
  }

  #rotRead(name: string, offset: number, bytes: Uint8Array): void {
    const rot = this.#readRot
    if (rot === null || rot.name !== name || rot.offset < offset || rot.offset >= offset + bytes.length) return
    if (rot.spared-- > 0) return
    bytes[rot.offset - offset]! ^= rot.mask
    this.#readRot = null
    this.readsRotted++
  }

  #known(name: string): Entry {
    const entry = this.#entries.get(name)
    if (entry === undefined) throw new RangeError(`the simulated disk has no file ${name}`)
    return entry
  }

  #syncUs(): number {
    const { syncUsMin, syncUsMax } = this.#options.latency
    return this.#options.random.between(syncUsMin, syncUsMax)
  }

  #later(delayUs: number, done: Done, act: () => FileError | null): void {
    const life = this.#life
    this.#options.schedule(delayUs * this.slowness, () => {
      if (life === this.#life) done(act())
    })
  }
}

const syncError: FileError = { code: 'ERR_DISK_IO', message: 'EIO: a sync failed' }
const fullError: FileError = { code: 'ERR_DISK_FULL', message: 'ENOSPC: the disk is full' }
