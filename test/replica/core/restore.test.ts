// A snapshot goes back into an executor chunk by chunk; what the disk does not give back is told from what is no state.

import { describe, expect, it } from 'vitest'
import { manifestEntryOf } from '../../../src/execution/manifest.ts'
import type { CheckpointState } from '../../../src/execution/executor.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import type { SnapshotSource, StoredSnapshot } from '../../../src/replica/checkpoints/ports.ts'
import { restoreFrom, restoreNewest } from '../../../src/replica/core/restore.ts'
import { createStoreExecutor } from '../../../src/simulator/store-language.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { Group } from '../checkpoints/group.ts'
import { blockOf } from '../../execution/fixtures.ts'

const { epoch } = new Group({ protocol: 'raft', voters: 3, learners: 0 })
const every4: typeof epoch = { ...epoch, parameters: { ...epoch.parameters, checkpoints: { intervalHeights: 4 } } }
const fresh = () => createStoreExecutor(every4, simulatedHasher)

/** The checkpoints of a few blocks, as a store has them. */
function executed(heights: number): CheckpointState[] {
  const executor = fresh()
  const states: CheckpointState[] = []
  for (let height = 1; height <= heights; height++) {
    executor.execute(blockOf(height, []))
    while (executor.work());
    if (executor.checkpoint !== null) states.push(executor.checkpoint)
    executor.releaseCheckpoint()
  }
  return states
}

function source(states: readonly CheckpointState[], lost: ReadonlySet<string> = new Set()): SnapshotSource {
  const stable: StoredSnapshot[] = states.map(({ header, chunks }) => ({
    checkpoint: { header } as Checkpoint,
    entries: chunks.map((chunk) => manifestEntryOf(chunk)),
  }))
  const chunks = states.flatMap((state) => state.chunks)
  return {
    stable,
    read: ({ digest }) => {
      const chunk = chunks.find((one) => one.digest.join() === digest.join())
      return chunk === undefined || lost.has(digest.join()) ? null : chunk.bytes()
    },
  }
}

describe('a snapshot', () => {
  it('brings an executor to where it was, and the newest that is whole is taken', () => {
    const [older, newer] = executed(8) as [CheckpointState, CheckpointState]
    const executor = fresh()
    expect(restoreNewest(executor, source([newer, older]))?.header.height).toBe(8)
    expect([executor.height, executor.header]).toEqual([8, newer.header])
    const onlyInNewer = newer.chunks.find(
      (chunk) => !older.chunks.some((one) => one.digest.join() === chunk.digest.join()),
    )!
    const damaged = fresh()
    const disk = source([newer, older], new Set([onlyInNewer.digest.join()]))
    expect(restoreFrom(damaged, disk, disk.stable[0]!)).toEqual({ kind: 'damaged' })
    expect(damaged.height).toBe(0)
    expect(restoreNewest(damaged, disk)?.header.height).toBe(4)
  })

  it('that is whole and no state is refused with the reason', () => {
    const [older, newer] = executed(8) as [CheckpointState, CheckpointState]
    const disk = source([{ header: newer.header, chunks: older.chunks }, older])
    expect(restoreFrom(fresh(), disk, disk.stable[0]!)).toMatchObject({ kind: 'refused', reason: expect.any(String) })
    expect(restoreNewest(fresh(), source([]))).toBeNull()
  })

  it('is not kept in memory once it was let go of', () => {
    const executor = fresh()
    for (let height = 1; height <= 4; height++) executor.execute(blockOf(height, []))
    while (executor.work());
    expect(executor.checkpoint?.header.height).toBe(4)
    executor.releaseCheckpoint()
    expect(executor.checkpoint).toBeNull()
  })
})
