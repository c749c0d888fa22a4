/**
 * Gives room back. Packs that hold nothing that a snapshot needs are removed; what is left of packs that are mostly dead is copied into
 * the pack that is written to, and they are removed when the copies are on disk with their proof. Never is the only copy removed.
 *
 * Chunks are copied a few at a time, as the disk answers, and at most so many bytes in one run: the rest waits for the next checkpoint.
 */

import type { Crc32, Directory, FileError } from '../log/file-port.ts'
import type { ChunkIndex } from './chunk-index.ts'
import { packFile } from './format.ts'
import type { SnapshotLimits } from './limits.ts'
import type { PackAppender } from './pack-appender.ts'
import { bodyIsSound, readPacked } from './pack-reader.ts'

export interface CompactorOptions {
  directory: Directory
  crc32: Crc32
  limits: SnapshotLimits
  index: ChunkIndex
  appender: PackAppender
  /** All packs that there are, and up to where they are on disk. The compactor takes those out that it removes. */
  packs: Map<number, number>
  /** The chunk cannot be read. */
  lost(record: number): void
  failed(error: FileError): void
}

interface PackUse {
  pack: number
  liveBytes: number
}

export class Compactor {
  readonly #options: CompactorOptions
  #state: 'idle' | 'busy' | 'closed' = 'idle'
  #again = false
  /** Packs whose chunks are copied in this run. */
  #sparse: number[] = []
  /** Of one pack. */
  #copying: { pack: number; records: number[] } | null = null
  #copied = 0
  #whenCopied: () => void = () => {}
  packsRemoved = 0
  bytesCopied = 0

  constructor(options: CompactorOptions) {
    this.#options = options
  }

  get isIdle(): boolean {
    return this.#state !== 'busy'
  }

  /** After snapshots were let go of. */
  run(): void {
    if (this.#state === 'busy') this.#again = true
    if (this.#state !== 'idle') return
    this.#state = 'busy'
    this.#again = false
    const uses = this.#uses()
    const { packBytesMax, compactionBytesMax } = this.#options.limits
    const dead = uses.filter(({ liveBytes }) => liveBytes === 0).map(({ pack }) => pack)
    let budget = compactionBytesMax
    const sparse = uses.filter(({ liveBytes }) => liveBytes > 0 && liveBytes < packBytesMax / 2)
    this.#sparse = []
    for (const { pack, liveBytes } of sparse.sort((left, right) => left.liveBytes - right.liveBytes)) {
      budget -= liveBytes
      if (budget < 0) break
      this.#sparse.push(pack)
    }
    this.#remove(dead, () => this.#nextPack())
  }

  /** Something was written: there may be room to copy more. */
  progress(): void {
    if (this.#copying !== null) this.#copySome()
  }

  close(): void {
    this.#state = 'closed'
    this.#copying = null
  }

  #uses(): PackUse[] {
    const { index, packs, appender } = this.#options
    const uses = new Map<number, PackUse>()
    for (const pack of packs.keys()) {
      if (pack !== appender.openPack) uses.set(pack, { pack, liveBytes: 0 })
    }
    for (const record of index.written()) {
      const use = uses.get(index.pack(record))
      // One byte at least, so that a pack with nothing but an empty chunk is not taken for dead.
      if (use !== undefined && index.references(record) > 0) use.liveBytes += index.sizeOf(record) + 1
    }
    return [...uses.values()]
  }

  #nextPack(): void {
    const [pack, ...rest] = this.#sparse
    if (this.#state !== 'busy') return
    if (pack === undefined) return this.#end()
    this.#sparse = rest
    this.#copyPack(pack, () => this.#remove([pack], () => this.#nextPack()))
  }

  #end(): void {
    this.#state = 'idle'
    if (this.#again) this.run()
  }

  /** Until nothing of the pack is needed any more: a snapshot that was begun meanwhile may need more of it. */
  #copyPack(pack: number, copied: () => void): void {
    const records = this.#liveRecords(pack)
    if (records.length === 0) return copied()
    this.#whenCopied = () =>
      this.#options.appender.seal((error) => {
        if (this.#state !== 'busy') return
        if (error === null) return this.#copyPack(pack, copied)
        // The disk is full: the rest waits for the next checkpoint, and what was copied stands twice until then.
        this.#state = 'idle'
      })
    this.#copying = { pack, records }
    this.#copied = 0
    this.#copySome()
  }

  #liveRecords(pack: number): number[] {
    const { index } = this.#options
    const records: number[] = []
    for (const record of index.written()) {
      if (index.pack(record) === pack && index.references(record) > 0) records.push(record)
    }
    return records.sort((left, right) => index.offset(left) - index.offset(right))
  }

  #copySome(): void {
    const { appender, limits } = this.#options
    if (this.#copying === null) return
    const { pack, records } = this.#copying
    while (this.#copied < records.length) {
      if (appender.waitingBytes >= limits.groupBytesMax) return
      this.#copyOne(records[this.#copied++]!, pack)
    }
    this.#copying = null
    this.#whenCopied()
  }

  #copyOne(record: number, pack: number): void {
    const { directory, crc32, index, appender, lost } = this.#options
    if (index.pack(record) !== pack || index.references(record) === 0) return
    const place = { pack, offset: index.offset(record) }
    // A second attempt, because what is wrong may be the reading.
    for (let attempt = 0; attempt < 2; attempt++) {
      const chunk = readPacked(directory, crc32, place, index.sizeOf(record))
      if (chunk === null || !bodyIsSound(chunk, crc32)) continue
      this.bytesCopied += chunk.body.length
      return appender.append({ record, digest: index.digest(record), bytes: chunk.body })
    }
    lost(record)
  }

  /** Of packs in which nothing is live. */
  #remove(packs: readonly number[], then: () => void): void {
    const { index } = this.#options
    const doomed = new Set(packs)
    for (const record of index.written()) {
      if (doomed.has(index.pack(record))) index.setAbsent(record)
    }
    this.#removeFiles(packs, packs.length > 0, then)
  }

  #removeFiles([pack, ...rest]: readonly number[], wasAny: boolean, then: () => void): void {
    const { directory, packs, failed } = this.#options
    const answered = (next: () => void) => (error: FileError | null) => {
      if (this.#state !== 'busy') return
      if (error !== null) failed(error)
      else next()
    }
    if (pack === undefined) return wasAny ? directory.sync(answered(then)) : then()
    directory.remove(
      packFile(pack),
      answered(() => {
        packs.delete(pack)
        this.packsRemoved++
        this.#removeFiles(rest, wasAny, then)
      }),
    )
  }
}
