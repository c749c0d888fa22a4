// Goal: a chunk's verdict is that of its seeds, and a simulator that is itself at fault is found out. Method: simulators of a few lines.

import { describe, expect, it } from 'vitest'
import { runChunk, type RunSeed, type SweepOptions } from '../../../src/cli/sweep/run-chunk.ts'
import type { SeedReport } from '../../../src/simulator/report.ts'

const options: SweepOptions = { protocol: 'raft', replicas: 3, faults: 'all' }

function passed(seed: number, traceHash: string = `hash ${seed}`): SeedReport {
  const counts = { events: 10, virtualMs: 5, committedOperations: 2, coverage: { crashes: 1 } }
  return { seed, verdict: 'passed', violation: null, excuse: null, traceHash, ...counts }
}

/** Remembers what it was asked. */
function recorded(answer: (seed: number, run: number) => SeedReport): { runSeed: RunSeed; asked: number[] } {
  const asked: number[] = []
  return {
    asked,
    runSeed: ({ seed }) => {
      asked.push(seed)
      return answer(seed, asked.length)
    },
  }
}

describe('a chunk', () => {
  it('runs each of its seeds with the options of the sweep, and adds them up', () => {
    const asked: object[] = []
    const summary = runChunk(
      (given) => {
        asked.push(given)
        return passed(given.seed)
      },
      options,
      { from: 4, to: 6 },
    )
    expect(asked).toEqual([
      { ...options, seed: 4 },
      { ...options, seed: 5 },
      { ...options, seed: 6 },
    ])
    expect(summary).toMatchObject({ seeds: 3, passed: 3, violated: 0, events: 30, coverage: { crashes: 3 } })
  })

  it('tells each seed before it runs', () => {
    const order: string[] = []
    const runSeed: RunSeed = ({ seed }) => {
      order.push(`run ${seed}`)
      return passed(seed)
    }
    runChunk(runSeed, options, { from: 1, to: 2 }, (seed) => order.push(`tell ${seed}`))
    expect(order).toEqual(['tell 1', 'run 1', 'tell 2', 'run 2'])
  })

  it('names a seed on which the simulator throws, and goes on', () => {
    const { runSeed, asked } = recorded((seed) => {
      if (seed === 2) throw new RangeError('no such replica')
      return passed(seed)
    })
    const summary = runChunk(runSeed, options, { from: 1, to: 3 })
    expect(asked).toEqual([1, 2, 3])
    expect(summary).toMatchObject({ seeds: 3, passed: 2, violated: 1 })
    expect(summary.failures).toEqual([
      { seed: 2, invariant: 'simulator-crashed', explanation: 'the simulator threw RangeError: no such replica' },
    ])
  })
})

describe('determinism', () => {
  it('is checked on every fiftieth seed', () => {
    const { runSeed, asked } = recorded((seed) => passed(seed))
    const summary = runChunk(runSeed, options, { from: 49, to: 51 })
    expect(asked).toEqual([49, 50, 50, 51])
    expect(summary).toMatchObject({ seeds: 3, passed: 3, events: 30 })
  })

  it('is checked on every seed when that was asked for', () => {
    const { runSeed, asked } = recorded((seed) => passed(seed))
    runChunk(runSeed, { ...options, twiceEvery: 1 }, { from: 1, to: 2 })
    expect(asked).toEqual([1, 1, 2, 2])
  })

  it('is lost when two runs of a seed differ: the seed has failed, whatever either run said', () => {
    const { runSeed } = recorded((seed, run) => passed(seed, `hash ${run}`))
    const summary = runChunk(runSeed, options, { from: 50, to: 50 })
    expect(summary).toMatchObject({ seeds: 1, passed: 0, violated: 1 })
    expect(summary.failures).toEqual([
      {
        seed: 50,
        invariant: 'determinism',
        explanation: 'two runs of one seed came to the histories hash 1 and hash 2',
      },
    ])
  })
})
