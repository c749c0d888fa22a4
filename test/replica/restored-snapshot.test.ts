// Goal: a voter that was away and is given a saved snapshot starts from it, catches up from there, and votes as before: its log is its own.
// Method: real replicas in this process, on real folders; the snapshot is saved while its replica runs.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { copySnapshot } from '../../src/cli/snapshot/copy-snapshot.ts'
import { judgeChunks } from '../../src/cli/snapshot/judge-snapshot.ts'
import { newestOf, openSnapshotsAt, readSnapshotsAt } from '../../src/cli/snapshot/open-snapshots-at.ts'
import { networks, whileOneIsAway } from '../networks.ts'
import { put, testReplicas, type StoreReplica, type TestReplicas } from './replicas.ts'

let replicas: TestReplicas
afterEach(() => replicas.close())

const often = { snapshotPolicy: { logBytesMin: 1, writtenPercentMin: 1, sliceBytesMax: 1 << 20 } }

async function start(id: number): Promise<StoreReplica> {
  const replica = replicas.make(id, often)
  await replica.start()
  return replica
}

async function until(what: () => boolean): Promise<void> {
  await expect.poll(what, { interval: 20, timeout: 20_000 }).toBe(true)
}

/** The newest snapshot of one replica's folder, in another's; returns its height. */
async function carry(from: number, to: number): Promise<number> {
  const source = await readSnapshotsAt(replicas.dataDir(from))
  const snapshot = newestOf(source)
  expect(await judgeChunks(source.store, snapshot)).toMatchObject({ damaged: 0, isOfRoot: true })
  const folder = join(replicas.dataDir(to), 'snapshots')
  mkdirSync(folder, { recursive: true })
  const target = await openSnapshotsAt(folder, source.network)
  expect(await copySnapshot(source.store, snapshot, target)).not.toBeNull()
  await target.close()
  await source.close()
  return snapshot.checkpoint.header.height
}

it.each(networks)(
  'of $protocol is where a voter that was away goes on from, with its vote',
  async ({ protocol, replicas: count }) => {
    replicas = await testReplicas(count, { checkpoints: { intervalHeights: 4 }, ...whileOneIsAway(protocol) }, protocol)
    const ids = replicas.network.epoch.members.map(({ id }) => Number(id))
    const [one, two, three, ...more] = (await Promise.all(ids.map(start))) as [StoreReplica, StoreReplica, StoreReplica]
    await one.submit(put('before'))
    await three.close()
    for (let number = 0; one.status().executedHeight < 40; number++) await one.submit(put(`value ${number}`))
    for (const other of [two, ...more]) await other.close()
    const height = await carry(1, 3)
    expect(height).toBeGreaterThan(4)
    // Only the snapshot can have brought it there: nothing was sent to it.
    await one.close()
    const again = await start(3)
    expect(again.status()).toMatchObject({ voice: 'votes' })
    expect(again.status().executedHeight).toBeGreaterThanOrEqual(height)
    // All but the first decide: no fewer can, and it is one of them.
    const [back] = await Promise.all(ids.filter((id) => id !== 1 && id !== 3).map(start))
    await back!.submit(put('after'))
    await until(() => again.status().executedHeight === back!.status().executedHeight)
  },
  60_000,
)
