/**
 * The snapshots of one replica: chunks by their digests in packs that are only ever appended to, and manifests that name them.
 *
 * STABLE is what has a certificate and is whole. `finish` of a writer makes a snapshot whole and durable, `certify` makes it stable.
 * Nothing that an older stable snapshot needs is touched on the way, so a crash at any moment leaves that one.
 * DAMAGE. What is read is checked by its digest. A chunk that is bad twice in a row is forgotten: `has` and `missing` then tell that
 * it is needed again, and the snapshots that need it are no longer stable until it is back.
 * FAILING. An error of a sync, or of a write but a full disk, is final: nothing is durable afterwards. Reading goes on.
 */

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { ExecutedHeader } from '../../kernel/executed-header.ts'
import type { NetworkId } from '../../kernel/ids.ts'
import type { ManifestEntries, ManifestEntry } from '../../kernel/manifest.ts'
import type { Crc32, Directory, FileError } from '../log/file-port.ts'
import { chunkState, type ChunkIndex } from './chunk-index.ts'
import { Compactor } from './compactor.ts'
import { FileJobs } from './file-jobs.ts'
import { checkpointFile, encodeCheckpointFile, manifestFile, snapshotFileOf } from './format.ts'
import { allWritten, emptySnapshot, release, sameHeader, type HeldSnapshot } from './held-snapshot.ts'
import { snapshotLimitsDefault, stableSnapshotsMax, uncertifiedSnapshotsMax, type SnapshotLimits } from './limits.ts'
import { manifestFileParts } from './manifest-file.ts'
import { fileNames } from './file-names.ts'
import { PackAppender } from './pack-appender.ts'
import { bodyIsSound, readPacked } from './pack-reader.ts'
import { packManifest } from './packed-manifest.ts'
import type { SnapshotDone, SnapshotError } from './snapshot-error.ts'
import { SnapshotWriter, type WriterPorts } from './snapshot-writer.ts'
import { writeWholeFile, type WholeFile } from './whole-file.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

export interface SnapshotListener {
  /** The disk is full: nothing is lost, and nothing more is written until `probe`. */
  full(error: FileError): void
  /** For good. */
  failed(error: FileError): void
}

export interface SnapshotOptions {
  directory: Directory
  crc32: Crc32
  /** Snapshots of another network are refused. */
  network: NetworkId
  /** The address of a chunk: binds its part, its id and its bytes. */
  digestOf(entry: ManifestEntry, bytes: Uint8Array): Uint8Array
  listener: SnapshotListener
  limits?: SnapshotLimits
  /** Nothing is written by itself: for whoever reads the folder of another process. */
  isReadOnly?: boolean
}

export interface StoredSnapshot {
  readonly checkpoint: Checkpoint
  readonly entries: ManifestEntries
}

/** What opening has found. */
export interface FoundSnapshots {
  index: ChunkIndex
  /** And up to where each is on disk. */
  packs: Map<number, number>
  held: HeldSnapshot[]
  /** Number of the next pack. */
  firstPack: number
}

export class SnapshotStore {
  readonly ok = true
  readonly #options: SnapshotOptions
  readonly #limits: SnapshotLimits
  readonly #index: ChunkIndex
  /** Every pack, and up to where it is on disk. */
  readonly #packs: Map<number, number>
  readonly #appender: PackAppender
  readonly #compactor: Compactor
  /** Newest first: certified ones, and those that wait for their certificate. */
  #held: HeldSnapshot[]
  #stable: readonly StoredSnapshot[] = []
  #writer: SnapshotWriter | null = null
  readonly #jobs = new FileJobs()
  #hasAbandoned = false
  #finishedCount = 0
  #failure: FileError | null = null
  #isClosed = false
  /** Chunks found damaged since the start. */
  chunksLost = 0

  /** Use `openSnapshots`. */
  constructor(options: SnapshotOptions, found: FoundSnapshots) {
    this.#options = options
    this.#limits = options.limits ?? snapshotLimitsDefault
    this.#index = found.index
    this.#packs = found.packs
    this.#held = found.held
    const { directory, crc32, listener } = options
    const limits = this.#limits
    this.#appender = new PackAppender({
      directory,
      crc32,
      limits,
      firstPack: found.firstPack,
      listener: {
        written: (chunk, pack, offset) => {
          if (!this.#packs.has(pack)) this.#packs.set(pack, 0)
          // Its record may be another chunk's by now, if it was given up meanwhile.
          if (this.#index.hasDigest(chunk.record, chunk.digest)) {
            this.#index.setWritten(chunk.record, pack, offset, chunk.bytes.length)
          }
        },
        synced: (pack, end) => void this.#packs.set(pack, end),
        progress: () => {
          this.#compactor.progress()
          this.#writer?.progress()
        },
        full: (error) => listener.full(error),
        failed: (error) => this.#fail(error),
      },
    })
    this.#compactor = new Compactor({
      directory,
      crc32,
      limits,
      index: this.#index,
      appender: this.#appender,
      packs: this.#packs,
      lost: (record) => this.#lose(record),
      failed: (error) => this.#fail(error),
    })
    this.#sort()
    if (options.isReadOnly !== true) this.#settle()
  }

  /** Certified and whole, newest first, at most two. */
  get stable(): readonly StoredSnapshot[] {
    return this.#stable
  }

  /** Certified, and newer than what is stable, but with chunks that were found damaged: `begin` with the same entries mends them. */
  get damaged(): readonly StoredSnapshot[] {
    return this.#held.filter((one) => !one.isWhole).flatMap(storedOf)
  }

  /** Whole, and waiting for a certificate: headers, newest first. */
  get uncertified(): readonly ExecutedHeader[] {
    return this.#held.filter((one) => one.isWhole && one.checkpoint === null).map((one) => one.header)
  }

  /** Packs and chunks that there are: what a metric asks. */
  get sizes(): { packs: number; chunks: number; waitingBytes: number } {
    return { packs: this.#packs.size, chunks: this.#index.size, waitingBytes: this.#appender.waitingBytes }
  }

  /** Whether the chunk can be read, as far as is known. */
  has(digest: Uint8Array): boolean {
    const record = this.#index.find(digest)
    return record >= 0 && this.#index.state(record) === chunkState.written
  }

  /** The chunk as its digest says it is; null if there is none, or none any more. */
  read(entry: ManifestEntry): Uint8Array | null {
    const index = this.#index
    const record = index.find(entry.digest)
    if (record < 0 || index.state(record) !== chunkState.written) return null
    const { directory, crc32, digestOf } = this.#options
    const place = { pack: index.pack(record), offset: index.offset(record) }
    // A second attempt, because what is wrong may be the reading.
    for (let attempt = 0; attempt < 2; attempt++) {
      const chunk = readPacked(directory, crc32, place, index.sizeOf(record))
      if (chunk === null) continue
      if (equalBytes(digestOf(entry, chunk.body), entry.digest)) return chunk.body
      // What lies there is what was written: then the entry belongs to no such chunk, and the disk is not at fault.
      if (bodyIsSound(chunk, crc32)) return null
    }
    this.#lose(record)
    return null
  }

  /**
   * One at a time. Throws when there is one, and on entries that break a limit. A snapshot of few chunks is prepared at once; of others
   * `prepare` is to be called. Packed entries are taken as they are.
   */
  begin(header: ExecutedHeader, entries: ManifestEntries): SnapshotWriter {
    if (this.#writer !== null) throw new Error('a snapshot is being written: finish or abandon it first')
    if (header.stateRoot === null) throw new RangeError(`the header of height ${header.height} has no state root`)
    const writer = new SnapshotWriter(this.#writerPorts(), emptySnapshot(header, packManifest(entries)))
    this.#writer = writer
    writer.prepare()
    return writer
  }

  /** Answers when the snapshot of this height is stable for good; then what is older than two is let go of. */
  certify(checkpoint: Checkpoint, done: SnapshotDone): void {
    this.#jobs.run((end) => {
      const finish: SnapshotDone = (error) => {
        done(error)
        end()
      }
      const snapshot = this.#heldAt(checkpoint.header.height)
      if (snapshot === undefined || !snapshot.isWhole || !sameHeader(snapshot.header, checkpoint.header)) {
        finish(this.#failure ?? unknown(checkpoint.header.height))
      } else if (snapshot.checkpoint !== null) finish(this.#failure)
      else if (snapshot.isDurable) this.#writeCheckpoint(snapshot, checkpoint, finish)
      else {
        this.#writeManifest(snapshot, (error) => {
          if (error === null) this.#writeCheckpoint(snapshot, checkpoint, finish)
          else finish(error)
        })
      }
    })
  }

  /** After a full disk: tries again what did not fit. */
  probe(): void {
    this.#appender.probe()
  }

  /** Nothing answers any more. What was finished and certified is on disk; the directory is its owner's to close. */
  close(): void {
    this.#isClosed = true
    this.#appender.close()
    this.#compactor.close()
  }

  /**
   * The newest certificate may have been found and not be on disk, because a killed process's unsynced writes can be read. The same bytes
   * in the same place: a crash meanwhile finds what was there. What it certifies was on disk before it was written.
   */
  #settle(): void {
    const newest = this.#held.find((one) => one.checkpoint !== null)?.checkpoint
    if (newest === undefined || newest === null) return
    const parts = [encodeCheckpointFile(newest, this.#options.crc32)]
    const name = checkpointFile(newest.header.height)
    this.#jobs.run((end) => this.#writeFile({ name, parts, isThere: true }, end))
  }

  #writerPorts(): WriterPorts {
    return {
      index: this.#index,
      appender: this.#appender,
      digestOf: this.#options.digestOf,
      waitingBytesMax: this.#limits.waitingBytesMax,
      prepared: () => this.#prepared(),
      finish: (writer, done) => this.#finish(writer, done),
      lost: () => this.chunksLost,
      ended: (writer) => this.#abandon(writer),
    }
  }

  /** What earlier attempts wrote, and this one does not need, would otherwise stay until a snapshot succeeds. */
  #prepared(): void {
    if (this.#hasAbandoned && this.#failure === null) this.#compactor.run()
    this.#hasAbandoned = false
  }

  #abandon(writer: SnapshotWriter): void {
    if (this.#writer !== writer) return
    this.#writer = null
    this.#hasAbandoned = true
    release(this.#index, writer.snapshot)
  }

  #finish(writer: SnapshotWriter, done: SnapshotDone): void {
    const { snapshot } = writer
    const check = (): SnapshotError | null => {
      if (this.#writer !== writer) return unknown(snapshot.header.height)
      const missing = this.#failure === null ? writer.countMissing() : 0
      return missing > 0 ? incomplete(missing) : this.#failure
    }
    const error = check()
    if (error !== null) return done(error)
    this.#appender.seal((error) => {
      if (error !== null) return done(error)
      this.#jobs.run((end) => {
        const finish: SnapshotDone = (error) => {
          const failure = error ?? check()
          if (failure === null) this.#finished(writer)
          done(failure)
          end()
          if (failure === null) this.#prune()
        }
        const failure = check()
        const before = this.#heldAt(snapshot.header.height)
        const isThere = before !== undefined && before.isWhole && before.isDurable && sameSnapshot(before, snapshot)
        if (failure !== null || isThere) finish(failure)
        else this.#writeManifest(snapshot, finish)
      })
    })
  }

  #writeCheckpoint(snapshot: HeldSnapshot, checkpoint: Checkpoint, finish: SnapshotDone): void {
    const parts = [encodeCheckpointFile(checkpoint, this.#options.crc32)]
    this.#writeFile({ name: checkpointFile(checkpoint.header.height), parts }, (error) => {
      if (error === null) snapshot.checkpoint = checkpoint
      this.#sort()
      finish(error)
      if (error === null) this.#prune()
    })
  }

  #writeManifest(snapshot: HeldSnapshot, done: SnapshotDone): void {
    const { network, crc32 } = this.#options
    const { header, entries } = snapshot
    const packs = [...this.#packs].map(([pack, end]) => ({ pack, end })).sort((left, right) => left.pack - right.pack)
    const parts = manifestFileParts({ network, header, packs }, entries, crc32)
    this.#writeFile({ name: manifestFile(header.height), parts }, (error) => {
      snapshot.isDurable = error === null
      done(error)
    })
  }

  /** Everything of it is on disk. It takes the place of one of the same height. */
  #finished(writer: SnapshotWriter): void {
    const { snapshot } = writer
    const before = this.#heldAt(snapshot.header.height)
    this.#writer = null
    snapshot.isWhole = true
    snapshot.isDurable = true
    snapshot.finishedAs = ++this.#finishedCount
    if (before !== undefined && sameHeader(before.header, snapshot.header)) snapshot.checkpoint = before.checkpoint
    this.#held = [...this.#held.filter((one) => one !== before), snapshot]
    if (before !== undefined) release(this.#index, before)
    // What was written for this one may have mended another.
    for (const one of this.#held) one.isWhole ||= allWritten(this.#index, one)
    this.#sort()
  }

  /** The disk does not give the chunk back. */
  #lose(record: number): void {
    this.chunksLost++
    for (const snapshot of this.#held) {
      if (snapshot.isWhole && snapshot.records.includes(record)) snapshot.isWhole = false
    }
    this.#index.setAbsent(record)
    this.#sort()
  }

  #sort(): void {
    this.#held.sort((left, right) => right.header.height - left.header.height)
    this.#stable = this.#held
      .filter((one) => one.isWhole)
      .flatMap(storedOf)
      .slice(0, stableSnapshotsMax)
  }

  #heldAt(height: number): HeldSnapshot | undefined {
    return this.#held.find((one) => one.header.height === height)
  }

  /** Lets go of what is kept no longer: first its files, then the chunks that nothing else needs. */
  #prune(): void {
    const kept = keptOf(this.#held)
    const dropped = this.#held.filter((one) => !kept.includes(one))
    if (dropped.length === 0) return
    this.#held = kept
    for (const snapshot of dropped) release(this.#index, snapshot)
    this.#jobs.run((end) =>
      this.#removeFiles(this.#strayFiles(), () => {
        end()
        this.#compactor.run()
      }),
    )
  }

  /** Manifests and checkpoints of heights that are not kept, be they from another start. */
  #strayFiles(): string[] {
    const heights = new Set(this.#held.map((one) => one.header.height))
    if (this.#writer !== null) heights.add(this.#writer.snapshot.header.height)
    return (fileNames(this.#options.directory) ?? []).filter((name) => {
      const file = snapshotFileOf(name)
      return file !== null && file.kind !== 'pack' && !heights.has(file.height)
    })
  }

  #removeFiles([name, ...rest]: readonly string[], then: () => void): void {
    const { directory } = this.#options
    const answered = (next: () => void) => (error: FileError | null) => {
      if (this.#isClosed || this.#failure !== null) return
      if (error !== null) this.#fail(error)
      else next()
    }
    if (name === undefined) directory.sync(answered(then))
    else
      directory.remove(
        name,
        answered(() => this.#removeFiles(rest, then)),
      )
  }

  #writeFile(file: WholeFile, done: SnapshotDone): void {
    if (this.#isClosed) return
    if (this.#failure !== null) return done(this.#failure)
    writeWholeFile(this.#options.directory, file, (error) => {
      if (this.#isClosed) return
      if (error !== null && error.code !== 'ERR_DISK_FULL') this.#fail(error)
      done(this.#failure ?? error)
    })
  }

  #fail(error: FileError): void {
    if (this.#failure !== null || this.#isClosed) return
    this.#failure = error
    this.#compactor.close()
    this.#options.listener.failed(error)
  }
}

/**
 * Of snapshots, newest first: two stable ones; what is newer than the newest of them, while it waits or is damaged. Of those that wait, the last
 * that were finished, be there others of greater heights: what was fetched has a certificate already, and may be lower than what this replica
 * wrote before it lost its log, which will never have one.
 */
function keptOf(held: readonly HeldSnapshot[]): HeldSnapshot[] {
  const stable = held.filter((one) => one.isWhole && one.checkpoint !== null).slice(0, stableSnapshotsMax)
  const newest = stable[0]?.header.height ?? 0
  const newer = held.filter((one) => one.header.height > newest)
  const waiting = newer
    .filter((one) => one.checkpoint === null && one.isWhole)
    .toSorted((left, right) => right.finishedAs - left.finishedAs)
    .slice(0, uncertifiedSnapshotsMax)
  const damaged = newer.filter((one) => one.checkpoint !== null && !one.isWhole).slice(0, stableSnapshotsMax)
  return held.filter((one) => stable.includes(one) || waiting.includes(one) || damaged.includes(one))
}

function storedOf({ checkpoint, entries }: HeldSnapshot): StoredSnapshot[] {
  return checkpoint === null ? [] : [{ checkpoint, entries }]
}

function sameSnapshot(left: HeldSnapshot, right: HeldSnapshot): boolean {
  return sameHeader(left.header, right.header) && equalBytes(left.entries.bytes, right.entries.bytes)
}

function unknown(height: number): SnapshotError {
  return { code: 'ERR_SNAPSHOT_UNKNOWN', message: `there is no whole snapshot of height ${height} with that header` }
}

function incomplete(missing: number): SnapshotError {
  return { code: 'ERR_SNAPSHOT_INCOMPLETE', message: `${missing} chunks of the snapshot are missing: add them first` }
}
