// A snapshot store on a simulated disk, driven by hand: opened, written, crashed, opened again.

import { createHash } from 'node:crypto'
import { crc32 as zlibCrc32 } from 'node:zlib'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import type { ExecutedHeader } from '../../../src/kernel/executed-header.ts'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { ManifestEntries, ManifestEntry } from '../../../src/kernel/manifest.ts'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import { SimulatedDisk } from '../../../src/simulator/disk/simulated-disk.ts'
import { Scheduler } from '../../../src/simulator/scheduler.ts'
import type { Crc32, Directory, FileError } from '../../../src/storage/log/file-port.ts'
import { snapshotLimitsDefault, type SnapshotLimits } from '../../../src/storage/snapshots/limits.ts'
import { openSnapshots } from '../../../src/storage/snapshots/open-snapshots.ts'
import type { SnapshotError, SnapshotRefusal } from '../../../src/storage/snapshots/snapshot-error.ts'
import type { SnapshotOptions, SnapshotStore } from '../../../src/storage/snapshots/snapshot-store.ts'
import type { SnapshotWriter } from '../../../src/storage/snapshots/snapshot-writer.ts'

export const network: Uint8Array = new Uint8Array(32).fill(5)
export const crc32: Crc32 = (bytes, previous) => zlibCrc32(bytes, previous)

export type Answer = SnapshotError | null | 'waiting'

/** A state: contents of chunks by their names. */
export type State = Readonly<Record<string, string>>

export function digestOf(entry: Pick<ManifestEntry, 'part' | 'id'>, bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(Uint8Array.of(entry.part, entry.id.length)).update(entry.id).update(bytes).digest()
}

export function chunkOf(name: string, contents: string): { entry: ManifestEntry; bytes: Uint8Array } {
  const bytes = new TextEncoder().encode(contents)
  const about = { part: 4, id: new TextEncoder().encode(name) }
  return { entry: { ...about, digest: Uint8Array.from(digestOf(about, bytes)), size: bytes.length }, bytes }
}

export function entriesOf(state: State): ManifestEntry[] {
  return Object.entries(state).map(([name, contents]) => chunkOf(name, contents).entry)
}

/** Its root names the state, so that another state of the same height has another header. */
export function headerOf(height: number, state: State): ExecutedHeader {
  const stateRoot = Uint8Array.from(createHash('sha256').update(JSON.stringify(state)).digest())
  const zeros = new Uint8Array(32)
  return { epoch: 1, height, parent: zeros, blockDigest: zeros, resultsRoot: zeros, stateRoot, time: 1 }
}

export function checkpointOf(height: number, state: State): Checkpoint {
  return {
    header: headerOf(height, state),
    signatures: [{ replica: replicaId(1), signature: new Uint8Array(64).fill(1) }],
    block: { epoch: 1, height, timestamp: 1, payloadDigest: new Uint8Array(32) },
    proof: { kind: 'raft', term: 1, index: height },
  }
}

/** Everything that a snapshot says, read back; null in the place of what cannot be read. */
export function readState(store: SnapshotStore, entries: ManifestEntries): Record<string, string | null> {
  return Object.fromEntries(
    [...entries].map((entry) => {
      const bytes = store.read(entry)
      return [new TextDecoder().decode(entry.id), bytes === null ? null : new TextDecoder().decode(bytes)]
    }),
  )
}

export function addAll(writer: SnapshotWriter, chunks: readonly (readonly [name: string, contents: string])[]): void {
  for (const [name, contents] of chunks) {
    const { entry, bytes } = chunkOf(name, contents)
    writer.add(entry, bytes)
  }
}

export class SnapshotBench {
  readonly scheduler = new Scheduler()
  readonly disk: SimulatedDisk
  readonly limits: SnapshotLimits
  store: SnapshotStore | null = null
  failure: FileError | null = null
  fullError: FileError | null = null

  constructor(random: Random = createRandom('snapshot bench'), limits: Partial<SnapshotLimits> = {}) {
    this.limits = { ...snapshotLimitsDefault, ...limits }
    this.disk = new SimulatedDisk({
      random,
      latency: { writeUs: 10, syncUsMin: 50, syncUsMax: 200 },
      schedule: (delayUs, run) => void this.scheduler.after(delayUs, run),
    })
  }

  options(directory: Directory = this.disk): SnapshotOptions {
    return {
      directory,
      crc32,
      network,
      digestOf,
      limits: this.limits,
      listener: {
        full: (error) => (this.fullError = error),
        failed: (error) => (this.failure = error),
      },
    }
  }

  tryOpen(directory: Directory = this.disk): SnapshotStore | SnapshotRefusal {
    const opening = openSnapshots(this.options(directory))
    for (;;) {
      const step = opening.next()
      if (step.done === true) return step.value
    }
  }

  open(directory: Directory = this.disk): SnapshotStore {
    const store = this.tryOpen(directory)
    if (!store.ok) throw new Error(store.message)
    this.store = store
    return store
  }

  /** Lets everything happen that is under way, or only so many things. */
  run(steps: number = Infinity): void {
    for (let step = 0; step < steps && this.scheduler.step(Infinity); step++);
  }

  /** Begins to write a snapshot and to have it certified; the answer is there when the disk has answered. */
  beginSave(height: number, state: State): { finished: Answer; certified: Answer } {
    const store = this.store!
    const answers: { finished: Answer; certified: Answer } = { finished: 'waiting', certified: 'waiting' }
    const writer = store.begin(headerOf(height, state), entriesOf(state))
    addAll(writer, Object.entries(state))
    writer.finish((error) => {
      answers.finished = error
      if (error === null) store.certify(checkpointOf(height, state), (error) => (answers.certified = error))
      else writer.abandon()
    })
    return answers
  }

  save(height: number, state: State): void {
    const answers = this.beginSave(height, state)
    this.run()
    if (answers.certified !== null) throw new Error(`not certified: ${JSON.stringify(answers)}`)
  }

  stableHeights(): number[] {
    return this.store!.stable.map(({ checkpoint }) => checkpoint.header.height)
  }
}
