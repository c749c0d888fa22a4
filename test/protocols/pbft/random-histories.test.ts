// Random histories without lies: losses, partitions, crashes that lose what was not synced, restarts, checkpoints and logs cut at any moment. Safety
// at every step (the bench looks), no contradiction in anybody's words, and progress once everything is well again.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import { Bench, timeoutMs } from './bench.ts'
import { contradictions, votesBelowAsked } from './words.ts'

const seeds = Number(process.env['PBFT_SEEDS'] ?? 16)
const first = Number(process.env['PBFT_FIRST_SEED'] ?? 1)

function run(seed: number): void {
  const random = createRandom(`history ${seed}`)
  const voters = random.pick([4, 4, 5, 6, 7])
  const bench = new Bench({
    voters,
    autoSync: false,
    parameters: {
      batch: { lingerMs: 0, operationsMax: random.pick([1, 4]) },
      pbft: { windowBlocks: random.pick([4, 6, 16]) },
      flow: { pipelineBlocksMax: random.pick([2, 16]), executionLagBlocksMax: random.pick([2, 128]) },
      timers: { heartbeatMs: 500 },
    },
  })
  const faults = bench.membership.voters.length - bench.membership.quorum
  for (const replica of bench.replicas) replica.start()
  const syncAll = (): void => {
    for (const replica of bench.replicas) if (replica.isUp) replica.sync()
  }
  let lossPercent = 0
  const arrives = (): boolean => random.below(100) >= lossPercent
  for (let step = 0; step < 60; step++) {
    const replica = random.pick(bench.replicas)
    switch (random.below(9)) {
      case 0:
      case 1:
        if (replica.isUp) replica.propose(`s${step}`)
        break
      case 2:
        for (const one of bench.replicas) if (one.isUp) one.propose(`s${step}`)
        break
      case 3:
        if (bench.replicas.filter(({ isUp }) => !isUp).length < faults) replica.crash()
        else for (const one of bench.replicas) if (!one.isUp) one.start()
        break
      case 4:
        if (replica.isUp) replica.crash().start()
        break
      case 5:
        if (random.below(2) === 0) bench.isolate(replica.id)
        else bench.heal()
        break
      case 6: {
        lossPercent = random.pick([0, 0, 10, 40])
        break
      }
      case 7: {
        const height = replica.decidedHeight - (replica.decidedHeight % 2)
        // A checkpoint is signed by those who have it on disk.
        const have = bench.replicas.filter(({ decidedHeight }) => decidedHeight >= height).length
        if (replica.isUp && have > faults && height > (replica.checkpoint?.header.height ?? 0)) {
          replica.sync()
          replica.sync()
          if (random.below(2) === 0) replica.certified(height)
          else replica.stable(height)
        }
        break
      }
      default:
        bench.take(() => random.below(3) === 0)
    }
    for (let round = random.below(6); round > 0; round--) {
      bench.deliver(() => arrives() && random.below(3) > 0)
      if (random.below(2) === 0) syncAll()
      else if (replica.isUp) replica.sync(replica.durable + random.below(3))
    }
    if (random.below(3) === 0) bench.elapse(random.pick([100, 600, 1500]), arrives)
  }
  // All is well again.
  lossPercent = 0
  bench.heal()
  for (const one of bench.replicas) {
    one.autoSync = true
    if (one.isUp) one.sync()
    else one.start()
  }
  for (let round = 0; round < 6; round++) {
    bench.elapse(20 * timeoutMs)
    const height = Math.min(...bench.replicas.map(({ decidedHeight }) => decidedHeight))
    for (const one of bench.replicas) if (height > 0) one.certified(height)
    bench.elapse(timeoutMs)
  }
  for (const one of bench.replicas) one.propose('last')
  bench.elapse(60 * timeoutMs)
  expect(contradictions(bench.sent)).toEqual([])
  expect(votesBelowAsked(bench.sent)).toEqual([])
  for (const one of bench.replicas) expect(one.texts, `replica ${one.id}`).toContain('last')
}

describe('random histories', () => {
  for (let seed = first; seed < first + seeds; seed++) it(`seed ${seed}`, () => run(seed))
})
