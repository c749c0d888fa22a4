// Whoever catches up believes nobody's word about what he can serve (B24, B31).

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { Status } from '../../../src/protocols/pbft/messages.ts'
import { Bench, timeoutMs, type Replica } from './bench.ts'

function claim(decidedHeight: number, servesFrom: number): Status {
  return { kind: 'status', view: 0, active: true, decidedHeight, servesFrom, stages: [], asks: false }
}

describe('a replica that is behind the logs of the others', () => {
  it('fetches a state from those who are correct, though a liar says that it has the blocks', () => {
    const bench = new Bench().start()
    const late = bench.replica(1)
    late.autoFetch = false
    bench.liars.add(replicaId(4))
    let answered = 0
    for (let round = 0; round < 40; round++) {
      late.receive(4, claim(300, 1))
      for (const id of [2, 3]) late.receive(id, claim(300, 257))
      for (; answered < late.wanted.length; answered++) {
        const { wanted, from } = late.wanted[answered]!
        if (wanted.kind === 'state') continue
        expect(from).toContain(4)
        late.step({ kind: 'fetched', wanted, from: from[0]!, result: { kind: 'failed', reason: 'it has nothing' } })
      }
      bench.elapse(timeoutMs / 4, () => false)
    }
    const states = late.wanted.filter(({ wanted }) => wanted.kind === 'state')
    expect(states.length).toBeGreaterThan(0)
    for (const { from } of states) expect(from.some((id) => id === 2 || id === 3)).toBe(true)
  })

  it('fetches blocks where one correct replica has them, whatever the others say', () => {
    const bench = new Bench().start()
    const late = bench.replica(1)
    late.autoFetch = false
    for (const id of [4, 2]) late.receive(id, claim(300, 1))
    late.receive(3, claim(300, 257))
    expect(late.wanted.map(({ wanted, from }) => [wanted.kind, from])).toEqual([['decided', [2, 4]]])
  })

  it('asks for blocks again while it looks for a state: there may never be one that is new enough', () => {
    const bench = new Bench().start()
    const late = bench.replica(1)
    late.autoFetch = false
    const asked: string[] = []
    for (let round = 0; round < 40; round++) {
      for (const id of [2, 3, 4]) late.receive(id, claim(30, 1))
      for (const { wanted, from } of late.wanted.splice(0)) {
        asked.push(wanted.kind)
        if (wanted.kind === 'state') continue
        // Lost on their way, or later than anybody waits.
        late.step({ kind: 'fetched', wanted, from: from[0]!, result: { kind: 'failed', reason: 'nobody answers' } })
      }
      bench.elapse(timeoutMs / 4, () => false)
    }
    expect(asked.slice(0, 2)).toEqual(['decided', 'state'])
    expect(asked.slice(2).filter((kind) => kind === 'decided').length).toBeGreaterThan(3)
    expect(asked.filter((kind) => kind === 'state')).toHaveLength(1)
  })

  /** The fourth is cut off, and the others have decided so many blocks. */
  function withLate(blocks: number): { bench: Bench; late: Replica } {
    const bench = new Bench().start()
    bench.isolate(4)
    for (let height = 1; height <= blocks; height++) {
      bench.replica(1).propose(`block ${height}`)
      bench.settle()
    }
    const late = bench.replica(4)
    late.autoFetch = false
    return { bench, late }
  }

  it('asks everybody for a state, since whoever is ahead may be one liar, and it is asked for once', () => {
    const { bench, late } = withLate(1)
    late.receive(3, claim(300, 257))
    late.certified(1)
    bench.elapse(timeoutMs, () => false)
    expect(late.wanted.map(({ wanted, from }) => [wanted.kind, [...from].sort()])).toEqual([['state', [1, 2, 3]]])
  })

  it('that has caught up asks anew: for blocks first, and for a state where there are none', () => {
    const { bench, late } = withLate(8)
    const blocks = bench.replica(1).blocksFrom(1)
    const claimed = (decided: number, servesFrom: number): string[] => {
      late.wanted.length = 0
      for (const id of [1, 2, 3]) late.receive(id, claim(decided, servesFrom))
      bench.elapse(timeoutMs, () => false)
      return late.wanted.map(({ wanted }) => wanted.kind)
    }
    const serve = (from: number, to: number): void => {
      const wanted = { kind: 'decided', fromHeight: from, toHeight: to } as const
      const result = { kind: 'decided' as const, blocks: blocks.slice(from - 1, to) }
      late.step({ kind: 'fetched', wanted, from: replicaId(1), result })
    }
    expect(claimed(4, 90)).toEqual(['state'])
    expect(claimed(4, 1)).toEqual(['decided'])
    serve(1, 4)
    expect(late.decidedHeight).toBe(4)
    expect(claimed(8, 1)).toEqual(['decided'])
    serve(5, 8)
    expect(claimed(12, 1)).toEqual(['decided'])
    late.step({ kind: 'fetched', ...late.wanted[0]!, from: replicaId(1), result: { kind: 'failed', reason: 'lost' } })
    expect(claimed(12, 90)).toEqual(['state'])
  })

  it('looks for a state when blocks come one by one, and the others go on as fast', () => {
    const { bench, late } = withLate(8)
    const blocks = bench.replica(1).blocksFrom(1)
    const asked: string[] = []
    for (let served = 0; served < 6; served++) {
      // One liar has blocks; the others have cut them off, and each time are one further.
      late.receive(3, claim(100 + served, 1))
      for (const id of [1, 2]) late.receive(id, claim(100 + served, 90))
      bench.elapse(timeoutMs / 2, () => false)
      for (const { wanted } of late.wanted.splice(0)) {
        asked.push(wanted.kind)
        if (wanted.kind !== 'decided') continue
        const result = { kind: 'decided' as const, blocks: [blocks[late.decidedHeight]!] }
        late.step({ kind: 'fetched', wanted, from: replicaId(3), result })
      }
    }
    expect(late.decidedHeight).toBeGreaterThan(2)
    expect(asked).toContain('state')
  })

  it('goes after no height that fewer than one correct replica claim', () => {
    for (const voters of [4, 7]) {
      const bench = new Bench({ voters }).start()
      const late = bench.replica(1)
      late.autoFetch = false
      const faults = (voters - 1) / 3
      for (let id = 2; id < 2 + faults; id++) late.receive(id, claim(2 ** 50, 1))
      bench.elapse(timeoutMs, () => false)
      expect(late.wanted).toEqual([])
      late.receive(2 + faults, claim(40, 1))
      bench.elapse(timeoutMs, () => false)
      expect(late.wanted).toHaveLength(1)
      expect(late.wanted[0]!.wanted).toMatchObject({ kind: 'decided', fromHeight: 1, toHeight: 40 })
    }
  })
})
