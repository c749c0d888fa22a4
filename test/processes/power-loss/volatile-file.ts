// One file whose unsynced changes live in this process's memory, and go with it.

import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import type { Random } from '../../../src/kernel/random.ts'
import { FileContents, tear, type Change } from './file-contents.ts'

export class VolatileFile {
  readonly #path: string
  readonly #contents: FileContents
  /** What syncs have reached while a power loss could still take the name; null once the file stands in the folder. */
  #nameless: FileContents | null
  #unsynced: Change[] = []

  /** `isNamed`: the file stands in the folder. */
  constructor(path: string, isNamed: boolean) {
    this.#path = path
    this.#contents = new FileContents(isNamed ? readFileSync(path) : undefined)
    this.#nameless = isNamed ? null : new FileContents()
  }

  get isNamed(): boolean {
    return this.#nameless === null
  }

  get size(): number {
    return this.#contents.length
  }

  get unsyncedWrites(): number {
    return this.#unsynced.length
  }

  get unsyncedBytes(): number {
    return this.#unsynced.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0)
  }

  read(offset: number, length: number): Uint8Array {
    return this.#contents.slice(offset, length)
  }

  /** The bytes are copied: their owner may write to them again as soon as the port has answered. */
  change(offset: number, bytes: Uint8Array | null): void {
    const change = { offset, bytes: bytes?.slice() ?? null }
    this.#contents.apply(change)
    this.#unsynced.push(change)
  }

  sync(): void {
    this.#settle(this.#unsynced)
    this.#unsynced = []
  }

  /** One change reaches the disk before anybody asked for it; a sync will bring it once more, in its order. */
  leak(random: Random): boolean {
    if (this.#unsynced.length === 0) return false
    this.#settle(tear(random.pick(this.#unsynced), random))
    return true
  }

  /** The name is on disk, with what had been synced: whole at once, as a synced file is. */
  name(): void {
    if (this.#nameless === null) return
    const aside = `${this.#path}.unnamed`.replace(/\/([^/]*)$/, '-$1')
    writeFileSync(aside, this.#nameless.view(), { mode: 0o600 })
    renameSync(aside, this.#path)
    this.#nameless = null
  }

  #settle(changes: readonly Change[]): void {
    if (this.#nameless !== null) {
      for (const change of changes) this.#nameless.apply(change)
      return
    }
    const descriptor = openSync(this.#path, 'r+')
    try {
      for (const change of changes) applyTo(descriptor, change)
    } finally {
      closeSync(descriptor)
    }
  }
}

function applyTo(descriptor: number, { offset, bytes }: Change): void {
  if (bytes === null) return ftruncateSync(descriptor, offset)
  for (let done = 0; done < bytes.length;) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done)
  }
}
