// One snapshot on its way into the store: asks for the chunks that the store lacks, and takes them in any order.

import type { ManifestEntry } from '../../kernel/manifest.ts'
import { chunkState, type ChunkIndex } from './chunk-index.ts'
import { holdMore, type HeldSnapshot } from './held-snapshot.ts'
import type { PackAppender } from './pack-appender.ts'
import type { SnapshotDone } from './snapshot-error.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

/** What a writer needs of its store. */
export interface WriterPorts {
  index: ChunkIndex
  appender: PackAppender
  digestOf(entry: ManifestEntry, bytes: Uint8Array): Uint8Array
  waitingBytesMax: number
  prepared(): void
  finish(writer: SnapshotWriter, done: SnapshotDone): void
  /** Chunks lost so far, by whose rise a writer sees that it must look again. */
  lost(): number
  ended(writer: SnapshotWriter): void
}

export class SnapshotWriter {
  readonly #ports: WriterPorts
  readonly snapshot: HeldSnapshot
  #isPrepared = false
  /** Entries below it are not missing, unless a chunk is lost. */
  #firstMissing = 0
  #lostBefore: number
  #isWaiting = false
  /** Who waits for the end that was asked for. */
  #finishing: SnapshotDone[] = []
  /** Called when chunks may be added again after `add` has answered false. */
  onDrain: (() => void) | null = null

  /** Use `begin` of the store. */
  constructor(ports: WriterPorts, snapshot: HeldSnapshot) {
    this.#ports = ports
    this.snapshot = snapshot
    this.#lostBefore = ports.lost()
  }

  /**
   * One step of the beginning: which chunks are there already is looked up, and these are kept. True: there are more steps, and until
   * they are made nothing else may be called but `abandon`.
   */
  prepare(): boolean {
    if (this.#isPrepared) return false
    this.#isPrepared = !holdMore(this.#ports.index, this.snapshot)
    if (this.#isPrepared) this.#ports.prepared()
    return !this.#isPrepared
  }

  /** Entries whose chunks are neither in the store nor on their way, in order. It looks at each when it is asked for. */
  get missing(): Iterable<ManifestEntry> {
    this.#requirePrepared()
    return { [Symbol.iterator]: () => this.#missing() }
  }

  /** How many. Looks at all entries. */
  countMissing(): number {
    const { index } = this.#ports
    let count = 0
    for (const record of this.snapshot.records) if (index.state(record) === chunkState.absent) count++
    return count
  }

  /**
   * Takes a copy of the chunk; one that is there already, that nobody asked for or that is not what its digest says is passed over.
   * False: taken, but add no more before `onDrain`.
   */
  add(entry: ManifestEntry, bytes: Uint8Array): boolean {
    this.#requirePrepared()
    const { index, appender, digestOf, waitingBytesMax } = this.#ports
    const record = index.find(entry.digest)
    const isWanted = record >= 0 && index.state(record) === chunkState.absent
    if (isWanted && appender.failure === null && equalBytes(digestOf(entry, bytes), entry.digest)) {
      index.setPending(record)
      appender.append({ record, digest: entry.digest.slice(), bytes: bytes.slice() })
    }
    this.#isWaiting ||= appender.waitingBytes >= waitingBytesMax
    return !this.#isWaiting
  }

  /** With chunks missing or a full disk it answers with an error, and may be called again. */
  finish(done: SnapshotDone): void {
    this.#requirePrepared()
    this.#finishing.push(done)
    if (this.#finishing.length > 1) return
    this.#ports.finish(this, (error) => {
      const waiting = this.#finishing
      this.#finishing = []
      for (const done of waiting) done(error)
    })
  }

  /** What was written stays, and goes if the next attempt does not need it. Harmless after the end. */
  abandon(): void {
    this.#ports.ended(this)
  }

  /** For the store: something was written. */
  progress(): void {
    if (!this.#isWaiting || this.#ports.appender.waitingBytes > this.#ports.waitingBytesMax / 2) return
    this.#isWaiting = false
    this.onDrain?.()
  }

  #requirePrepared(): void {
    if (!this.#isPrepared) throw new Error('the snapshot is not prepared: call prepare until it answers false')
  }

  *#missing(): Generator<ManifestEntry> {
    const { index } = this.#ports
    const { records, entries } = this.snapshot
    if (this.#lostBefore !== this.#ports.lost()) {
      this.#lostBefore = this.#ports.lost()
      this.#firstMissing = 0
    }
    while (this.#firstMissing < records.length && index.state(records[this.#firstMissing]!) !== chunkState.absent) {
      this.#firstMissing++
    }
    for (let at = this.#firstMissing; at < records.length; at++) {
      if (index.state(records[at]!) === chunkState.absent) yield entries.at(at)!
    }
  }
}
