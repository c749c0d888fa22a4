/**
 * Decides which checkpoints become snapshots of this replica, and writes them, a slice in each turn, from the frozen state while execution
 * goes on. A snapshot that is written and whose header a quorum has signed is made stable; nothing else is.
 *
 * Which checkpoints become snapshots is this replica's own business: one is begun when the log has grown enough since the last, so
 * that a restart has little to execute again, and so that writing snapshots never costs much more than writing the log.
 */

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Height } from '../../kernel/ids.ts'
import type { CheckpointState } from '../../execution/executor.ts'
import { manifestEntryOf } from '../../execution/manifest.ts'
import { ManifestPacker } from '../../kernel/packed-manifest.ts'
import type { SnapshotSink, SnapshotWriter } from '../checkpoints/ports.ts'

export interface SnapshotPolicy {
  /** The log has grown by at least so much since the last snapshot was begun … */
  logBytesMin: number
  /** … and by this share of what that snapshot wrote, in parts of 100. */
  writtenPercentMin: number
  /** Bytes handed to the disk in one turn, one chunk more or less. */
  sliceBytesMax: number
}

export const snapshotPolicyDefault: SnapshotPolicy = {
  logBytesMin: 4 * 1024 * 1024,
  writtenPercentMin: 50,
  sliceBytesMax: 1024 * 1024,
}

/** Chunks looked at in one turn, written or not. */
const chunksPerSliceMax = 2048
/** Certificates that wait for a snapshot of their height, beside that of the one being written. */
const certificatesKept = 2

interface Writing {
  height: Height
  state: CheckpointState
  /** What is left of the beginning; null when chunks may be added. */
  beginning: Generator<undefined, void> | null
  /** Null until the store has been asked for one. */
  writer: SnapshotWriter | null
  /** The next chunk of the state to look at. */
  next: number
  full: boolean
  finishing: boolean
}

export interface SnapshotTakerOptions {
  store: Pick<SnapshotSink, 'has' | 'begin' | 'certify'>
  policy?: SnapshotPolicy
  /** The disk takes more, or has answered: the host owes a turn. */
  wake: () => void
  /** Called from `work` only. */
  stable: (checkpoint: Checkpoint) => void
  /** For operators: a snapshot that could not be written; the next checkpoint is tried. */
  failed: (reason: string) => void
}

export class SnapshotTaker {
  readonly #options: SnapshotTakerOptions
  readonly #policy: SnapshotPolicy
  #writing: Writing | null = null
  #writtenHeight: Height = 0
  #stableHeight: Height
  #bytesWritten = 0
  #loggedAtBegin = 0
  #certificates: Checkpoint[] = []
  #certifying = false
  #newlyStable: Checkpoint | null = null

  constructor(options: SnapshotTakerOptions, stableHeight: Height) {
    this.#options = options
    this.#policy = options.policy ?? snapshotPolicyDefault
    this.#stableHeight = stableHeight
  }

  get stableHeight(): Height {
    return this.#stableHeight
  }

  get isWriting(): boolean {
    return this.#writing !== null
  }

  /** The newest checkpoint whose root is known. `loggedBytes`: all that was ever appended to the log in this life. */
  offer(state: CheckpointState, loggedBytes: number): void {
    const { height } = state.header
    if (this.#writing !== null || height <= Math.max(this.#writtenHeight, this.#stableHeight)) return
    const grown = loggedBytes - this.#loggedAtBegin
    const { logBytesMin, writtenPercentMin } = this.#policy
    if (grown < logBytesMin || grown < (this.#bytesWritten * writtenPercentMin) / 100) return
    this.#begin(state, loggedBytes)
  }

  #begin(state: CheckpointState, loggedBytes: number): void {
    const { height } = state.header
    const writing: Writing = { height, state, beginning: null, writer: null, next: 0, full: false, finishing: false }
    writing.beginning = this.#beginning(writing)
    this.#loggedAtBegin = loggedBytes
    this.#bytesWritten = 0
    this.#writing = writing
    this.#goOn(writing)
  }

  /** The manifest, and what of it is there already: in steps, because there may be a million chunks. */
  *#beginning(writing: Writing): Generator<undefined, void> {
    const { header, chunks } = writing.state
    const packer = new ManifestPacker(chunks.length)
    for (const [index, chunk] of chunks.entries()) {
      if (index > 0 && index % chunksPerSliceMax === 0) yield
      packer.add(manifestEntryOf(chunk))
    }
    const writer = this.#options.store.begin(header, yield* packer.finishInSteps())
    writing.writer = writer
    writer.onDrain = () => {
      writing.full = false
      this.#options.wake()
    }
    while (writer.prepare()) yield
  }

  #goOn(writing: Writing): void {
    if (writing.beginning?.next().done === true) writing.beginning = null
  }

  /** One slice; true when there is more to do at once. */
  work(): boolean {
    if (this.#newlyStable !== null) {
      const checkpoint = this.#newlyStable
      this.#newlyStable = null
      this.#options.stable(checkpoint)
    }
    const writing = this.#writing
    if (writing === null || writing.full || writing.finishing) return false
    if (writing.beginning === null) return this.#write(writing, writing.writer!)
    this.#goOn(writing)
    return true
  }

  #write(writing: Writing, writer: SnapshotWriter): boolean {
    const { chunks } = writing.state
    let bytes = 0
    for (let looked = 0; looked < chunksPerSliceMax && bytes < this.#policy.sliceBytesMax; looked++) {
      const chunk = chunks[writing.next]
      if (chunk === undefined) {
        this.#finish(writing, writer)
        return false
      }
      if (writing.full) return false
      writing.next++
      if (this.#options.store.has(chunk.digest)) continue
      bytes += chunk.size
      this.#bytesWritten += chunk.size
      writing.full = !writer.add(manifestEntryOf(chunk), chunk.bytes())
    }
    return !writing.full
  }

  #finish(writing: Writing, writer: SnapshotWriter): void {
    writing.finishing = true
    writer.finish((error) => {
      if (this.#writing !== writing) return
      this.#writing = null
      if (error === null) this.#writtenHeight = writing.height
      else this.#abandon(writer, reasonOf(error))
      this.#certify()
      this.#options.wake()
    })
  }

  /** A full disk, or a chunk that was lost meanwhile, leaves the writer open: the next checkpoint needs the place. */
  #abandon(writer: SnapshotWriter, reason: string): void {
    writer.onDrain = null
    writer.abandon()
    this.#options.failed(reason)
  }

  /** A quorum has signed this header. */
  certified(checkpoint: Checkpoint): void {
    if (checkpoint.header.height <= this.#stableHeight) return
    // Writing takes longer than many checkpoints: the certificate of what is being written must not be pushed out by newer ones.
    const awaited = this.#certificates.filter((one) => this.#awaits(one))
    const others = this.#certificates.filter((one) => !this.#awaits(one))
    this.#certificates = [...awaited, ...[...others, checkpoint].slice(-certificatesKept)]
    this.#certify()
  }

  #awaits({ header }: Checkpoint): boolean {
    return header.height === this.#writing?.height || header.height === this.#writtenHeight
  }

  #certify(): void {
    const checkpoint = this.#certificates.find((one) => one.header.height === this.#writtenHeight)
    if (checkpoint === undefined || this.#certifying || this.#writtenHeight <= this.#stableHeight) return
    this.#certifying = true
    this.#options.store.certify(checkpoint, (error) => {
      this.#certifying = false
      if (error !== null) this.#options.failed(reasonOf(error))
      else if (checkpoint.header.height > this.#stableHeight) {
        this.#stableHeight = checkpoint.header.height
        this.#certificates = this.#certificates.filter((one) => one.header.height > this.#stableHeight)
        this.#newlyStable = checkpoint
      }
      this.#options.wake()
    })
  }

  /** The store is needed for a state that comes from others: what is half written is given up. */
  giveUp(): void {
    const writing = this.#writing
    if (writing === null) return
    this.#writing = null
    if (writing.writer === null) return
    writing.writer.onDrain = null
    writing.writer.abandon()
  }

  /** A state that came from others is stable. */
  restored(height: Height): void {
    this.#stableHeight = Math.max(this.#stableHeight, height)
    this.#writtenHeight = Math.max(this.#writtenHeight, height)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)
    ? String(error.message)
    : String(error)
}
