// What a block costs (PBFT §4.2): 2n(n-1) messages, the mean over 100 consecutive full blocks with a steady primary. Statuses are counted apart.

import { describe, expect, it } from 'vitest'
import { blockCost } from '../../../src/benchmark/complexity/closed-forms.ts'
import { idleLooksMax, idleLooksMin } from '../../../src/protocols/pbft/status-exchange.ts'
import { Bench, parametersOf, type Replica, type Sent } from './bench.ts'

const blocks = 100
const operations = 4
const { heartbeatMs, retransmitMs } = parametersOf().timers

function steady(voters: number): {
  bench: Bench
  sent: readonly Sent[]
  signatures: { made: number; checked: number }
} {
  const bench = new Bench({
    voters,
    parameters: { batch: { operationsMax: operations, lingerMs: 0 }, pbft: { windowBlocks: 256 } },
  }).start()
  bench.sent.length = 0
  const before = sum(bench.replicas)
  for (let block = 0; block < blocks; block++) {
    bench.replica(1).propose(...Array.from({ length: operations }, (_, index) => `${block}.${index}`))
    bench.settle()
  }
  for (const replica of bench.replicas) expect(replica.decided).toHaveLength(blocks)
  const after = sum(bench.replicas)
  const signatures = { made: after.made - before.made, checked: after.checked - before.checked }
  return { bench, sent: bench.sent, signatures }
}

function statuses(bench: Bench): readonly Sent[] {
  return bench.sent.filter(({ message }) => message.kind === 'status')
}

function sum(replicas: readonly Replica[]): { made: number; checked: number } {
  return {
    made: replicas.reduce((total, { signatures }) => total + signatures.made, 0),
    checked: replicas.reduce((total, { signatures }) => total + signatures.checked, 0),
  }
}

describe('a full block with a steady primary', () => {
  for (const n of [4, 7, 10, 13]) {
    const { messages, signaturesMade, signaturesChecked } = blockCost({ protocol: 'pbft' }, n)
    it(`costs ${messages} messages among ${n}, and the least of signatures`, () => {
      const { sent, signatures } = steady(n)
      const of = (kind: string): number => sent.filter(({ message }) => message.kind === kind).length
      expect(of('pre-prepare')).toBe(blocks * (n - 1))
      expect(of('prepare')).toBe(blocks * (n - 1) ** 2)
      expect(of('commit')).toBe(blocks * n * (n - 1))
      expect(sent.length - of('status')).toBe(blocks * messages)
      expect(of('status')).toBe(0)
      expect(signatures.made).toBe(blocks * signaturesMade)
      expect(signatures.checked).toBe(blocks * signaturesChecked)
    })
  }

  it('costs learners the same messages as voters, and none of their own', () => {
    const bench = new Bench({ voters: 4, learners: 2, parameters: { batch: { lingerMs: 0 } } }).start()
    bench.sent.length = 0
    bench.replica(1).propose('a')
    bench.settle()
    expect(bench.sent.filter(({ from }) => from > 4)).toEqual([])
    expect(bench.sent).toHaveLength(5 + 3 * 5 + 4 * 5)
    for (const replica of bench.replicas) expect(replica.texts).toEqual(['a'])
  })

  it('costs no statuses of the others, where the next one comes soon', () => {
    const bench = new Bench().start()
    bench.sent.length = 0
    for (let block = 0; block < 30; block++) {
      bench.replica(1).propose(`${block}`)
      bench.elapse(idleLooksMin * retransmitMs - 100)
    }
    expect(new Set(statuses(bench).map(({ from }) => from))).toEqual(new Set([1]))
  })

  it('is followed by heartbeats of the primary, and by a word of each other voter ever more seldom', () => {
    const bench = new Bench({ learners: 1 }).start()
    bench.replica(1).propose('a')
    bench.settle()
    const words: number[] = []
    bench.sent.length = 0
    const looks = 5 * idleLooksMax
    for (let look = 1; look <= looks; look++) {
      const before = bench.sent.length
      bench.elapse(retransmitMs)
      if (bench.sent.slice(before).some(({ from }) => from === 2)) words.push(look)
    }
    const pauses = words.slice(1).map((look, index) => look - words[index]!)
    expect(words[0]).toBeLessThanOrEqual(idleLooksMin + 1)
    expect(pauses).toEqual([4, 8, 16, 32, idleLooksMax, idleLooksMax, idleLooksMax])
    const said = (id: number): number => bench.sent.filter(({ from }) => from === id).length / bench.replicas.length
    expect([said(2), said(3), said(4), said(5)]).toEqual([said(2), said(2), said(2), 0])
    // Its heartbeats say it already.
    expect(Math.abs(said(1) * bench.replicas.length - (4 * looks * retransmitMs) / heartbeatMs)).toBeLessThanOrEqual(4)
    expect(statuses(bench)).toHaveLength(bench.sent.length)
    for (const replica of bench.replicas) expect(replica.status.view).toBe(0)
  })
})
