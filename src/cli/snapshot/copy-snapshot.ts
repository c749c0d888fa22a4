// Copies one snapshot with its certificate from store to store, chunk by chunk.

import { setImmediate } from 'node:timers/promises'
import type { FileError } from '../../storage/log/file-port.ts'
import type { SnapshotDone, SnapshotError } from '../../storage/snapshots/snapshot-error.ts'
import type { SnapshotStore, StoredSnapshot } from '../../storage/snapshots/snapshot-store.ts'
import { Failure } from '../failure.ts'
import type { OpenedSnapshots } from './open-snapshots-at.ts'

/** Null if a chunk cannot be read: it is damaged, or whoever uses the folder has let go of it. */
export async function copySnapshot(
  from: SnapshotStore,
  { checkpoint, entries }: StoredSnapshot,
  { store: to, problem }: OpenedSnapshots,
): Promise<{ chunks: number; bytes: number } | null> {
  const writer = to.begin(checkpoint.header, entries)
  while (writer.prepare());
  let drained = (): void => {}
  writer.onDrain = () => drained()
  const copied = { chunks: 0, bytes: 0 }
  for (const entry of writer.missing) {
    const bytes = from.read(entry)
    if (bytes === null) {
      writer.abandon()
      return null
    }
    copied.chunks++
    copied.bytes += bytes.length
    if (!writer.add(entry, bytes)) await unlessStopped(new Promise<void>((resolve) => (drained = resolve)), problem)
    else if (copied.chunks % 64 === 0) await setImmediate()
  }
  await answered((done) => writer.finish(done))
  await answered((done) => to.certify(checkpoint, done))
  return copied
}

async function unlessStopped(drained: Promise<void>, problem: Promise<FileError>): Promise<void> {
  const error = await Promise.race([drained, problem])
  if (error !== undefined) throw new Failure(error.code, error.message)
}

async function answered(ask: (done: SnapshotDone) => void): Promise<void> {
  const error = await new Promise<SnapshotError | null>((resolve) => ask(resolve))
  if (error !== null) throw new Failure(error.code, error.message)
}
