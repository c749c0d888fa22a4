// Crashes and losses only, no lies: whatever is lost, the group goes on when it is lost no more.

import { describe, expect, it } from 'vitest'
import { idleLooksMax } from '../../../src/protocols/pbft/status-exchange.ts'
import { Bench, kinds, parametersOf, timeoutMs, type Replica } from './bench.ts'
import * as forge from './forging.ts'

const everyKind = ['pre-prepare', 'prepare', 'commit', 'status'] as const

/** What a replica hands on from now on, for so many tenths of a timeout: once to each that is up. */
function deliverHandedOn(bench: Bench, from: Replica, tenths: number): void {
  const told = new Set<number>()
  let delivered = from.pool.forwarded.length
  for (let tenth = 0; tenth < tenths; tenth++) {
    bench.elapse(timeoutMs / 10)
    for (const { to, texts } of from.pool.forwarded.slice(delivered)) {
      if (told.has(to) || !bench.replica(to).isUp) continue
      told.add(to)
      bench.replica(to).propose(...texts)
    }
    delivered = from.pool.forwarded.length
  }
}

describe('the loss of messages', () => {
  it.each([0, 40_000])('of a decision is noticed where the primary is silent and idle, after %i ms too', (waitMs) => {
    const bench = new Bench().start()
    bench.isolate(4)
    bench.replica(1).propose('a')
    bench.settle()
    // A liar may do so, and nobody has anything to blame it for.
    bench.replica(1).crash()
    bench.elapse(waitMs)
    bench.heal()
    bench.elapse(1.25 * idleLooksMax * parametersOf().timers.retransmitMs)
    expect(bench.replica(4).texts).toEqual(['a'])
    for (const id of [2, 3, 4]) expect(bench.replica(id).status.view).toBe(0)
  })

  for (const kind of everyKind) {
    for (const to of [1, 2, 4]) {
      it(`of every ${kind} to replica ${to}, until it ends, delays its blocks and loses none`, () => {
        const bench = new Bench().start()
        bench.replica(1).propose('a')
        bench.settle((sent) => !(sent.message.kind === kind && sent.to === to))
        bench.take((sent) => sent.message.kind === kind && sent.to === to)
        bench.elapse(900)
        for (const replica of bench.replicas) expect(replica.texts).toEqual(['a'])
        for (const replica of bench.replicas) expect(replica.status.view).toBe(0)
      })
    }
  }

  for (const kind of ['view-change', 'new-view', 'ask-view-changes', 'status'] as const) {
    it(`of the first ${kind} of each sender to each receiver: the next view is reached (B2)`, () => {
      const bench = new Bench().start()
      bench.replica(1).propose('a')
      bench.settle()
      bench.replica(1).crash()
      for (const id of [2, 3, 4]) bench.replica(id).propose('b')
      const lost = new Set<string>()
      const lose = bench.post.bind(bench)
      bench.post = (sent) => {
        const name = `${sent.from}>${sent.to}`
        if (sent.message.kind === kind && !lost.has(name)) {
          lost.add(name)
          return
        }
        lose(sent)
      }
      bench.elapse(10 * timeoutMs)
      for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toEqual(['a', 'b'])
    })
  }

  it('of a view change whose sender has asked for a later view since then holds nobody back', () => {
    // Replica 1 has died after one view change to the third one; replica 4's own to that view was lost, and it repeats a later one.
    const bench = new Bench().start()
    for (const id of [2, 3, 4]) bench.replica(id).propose('a')
    bench.replica(1).crash()
    bench.elapse(timeoutMs - 1)
    bench.take()
    for (const id of [2, 3, 4]) bench.cut(id, 1)
    bench.cut(2, 3).cut(2, 4).cut(3, 4)
    bench.elapse(10)
    for (const id of [2, 3, 4]) expect(bench.replica(id).status.view).toBe(1)
    // Four sees a quorum for view 1, and its new view does not come.
    bench.replica(4).receive(1, forge.viewChange(bench, 1, 1))
    const ofTwo = bench.sent.find(({ from, message }) => from === 2 && message.kind === 'view-change')!.message
    bench.replica(4).receive(2, ofTwo)
    bench.elapse(3 * timeoutMs)
    expect(bench.replica(4).status.view).toBe(2)
    expect(bench.replica(3).status.view).toBe(1)
    bench.heal()
    bench.elapse(60 * timeoutMs)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toEqual(['a'])
  })

  it('of what one replica handed on holds nothing up: asking alone for another view, it hands on until the others ask too', () => {
    const bench = new Bench().start()
    bench.replica(1).crash()
    const lonely = bench.replica(2)
    lonely.propose('known to one')
    bench.elapse(timeoutMs + 1)
    expect(lonely.status).toMatchObject({ view: 1, phase: expect.stringContaining('asks for view 1') })
    // All that it has handed on until now was lost.
    deliverHandedOn(bench, lonely, 80)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toEqual(['known to one'])
  })

  it('of a proposal to all but one holds nothing up: what was proposed to it is handed on, since nobody proposes it again', () => {
    const bench = new Bench().start()
    const lonely = bench.replica(2)
    lonely.propose('known to one')
    bench.replica(1).propose('known to one')
    bench.settle(({ from, to }) => from === 1 && to === 2)
    expect(lonely.pool.texts).toEqual([])
    bench.replica(1).crash()
    bench.take()
    bench.elapse(timeoutMs + 1)
    expect(lonely.status).toMatchObject({ view: 1, phase: expect.stringContaining('asks for view 1') })
    deliverHandedOn(bench, lonely, 80)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toEqual(['known to one'])
  })

  it('of what was decided out of order is not feared: leaving the view puts back what is undecided, and nothing else', () => {
    const bench = new Bench({ parameters: { batch: { lingerMs: 0 } } }).start()
    const late = bench.replica(4)
    late.propose('first')
    late.propose('second')
    bench.replica(1).propose('first')
    bench.replica(1).propose('second')
    bench.settle(({ message, to }) => !(to === 4 && message.kind === 'pre-prepare' && message.header.height === 1))
    bench.isolate(4).take()
    bench.elapse(3 * timeoutMs)
    expect(late.status).toMatchObject({ decidedHeight: 0, phase: expect.stringContaining('asks for view') })
    expect(late.pool.texts).toEqual(['first'])
  })

  it('of a view change does not begin with everything to everybody: half of the next timeout comes first', () => {
    const bench = new Bench().start()
    bench.replica(1).crash()
    const lonely = bench.replica(2)
    lonely.propose('known to one')
    bench.elapse(timeoutMs / 2 + 1)
    // Its loop was a little late when it armed it.
    lonely.timers.set('forward', lonely.timers.get('forward')! + 5)
    bench.elapse(timeoutMs / 2)
    const before = lonely.pool.forwarded.length
    bench.elapse(timeoutMs - 10)
    expect(lonely.pool.forwarded).toHaveLength(before)
    bench.elapse(20)
    expect(lonely.pool.forwarded.length).toBeGreaterThan(before)
  })

  it('of an outage is not paid for later: once the view works, what waits is handed on after half of the first timeout', () => {
    const bench = new Bench().start()
    for (const id of [2, 3, 4]) bench.replica(id).propose('during')
    for (const id of [1, 2, 3, 4]) bench.isolate(id)
    bench.elapse(30 * timeoutMs)
    bench.heal()
    const backup = bench.replica(4)
    while (backup.texts.length === 0) bench.elapse(1)
    expect(backup.status.role).toBe('backup')
    backup.propose('afterwards')
    expect(backup.timers.get('forward')! - bench.nowMs).toBeLessThanOrEqual(timeoutMs / 2)
  })

  it('of one request leaves its replica asking alone, and what comes to it then goes to the primary that the others follow', () => {
    const bench = new Bench().start()
    const lonely = bench.replica(2)
    bench.isolate(2)
    lonely.propose('lost')
    bench.elapse(timeoutMs + 1)
    bench.heal()
    lonely.propose('later')
    expect(lonely.pool.forwarded.at(-1)).toEqual({ to: 1, texts: ['later'] })
  })

  it("of a pending new view's sender: another one that has entered it gives what it cites", () => {
    const bench = new Bench({ voters: 7 }).start()
    bench.replica(1).propose('a')
    bench.settle()
    const slow = 7
    bench.isolate(slow)
    bench.replica(1).crash()
    for (const id of [2, 3, 4, 5, 6]) bench.replica(id).propose('b')
    bench.elapse(3 * timeoutMs)
    expect(bench.replica(2).status.view).toBe(1)
    bench.heal()
    const newView = bench.sent.find(({ message }) => message.kind === 'new-view')!.message
    bench.replica(slow).receive(3, newView)
    bench.take(kinds('ask-view-changes'))
    bench.replica(3).crash()
    bench.elapse(3 * timeoutMs)
    expect(bench.replica(slow).status.view).toBe(1)
    expect(bench.replica(slow).texts).toEqual(['a', 'b'])
  })

  it('of the servers of a fetch does not ask again and again in one moment', () => {
    const bench = new Bench().start()
    const late = bench.replica(4)
    late.autoFetch = false
    const claim = { view: 0, active: true, decidedHeight: 30, servesFrom: 1, stages: [], asks: false }
    for (const id of [2, 3]) late.receive(id, { kind: 'status', ...claim })
    expect(late.wanted).toHaveLength(1)
    for (let time = 0; time < 10; time++) {
      const { wanted, from } = late.wanted.at(-1)!
      late.step({ kind: 'fetched', wanted, from: from[0]!, result: { kind: 'failed', reason: 'nobody answers' } })
    }
    expect(late.wanted.length).toBeLessThan(3)
    bench.elapse(1000)
    expect(late.wanted.length).toBeGreaterThan(1)
  })

  it('of a proposal that another block has taken the place of loses no request in it', () => {
    for (const isRestarted of [false, true]) {
      const bench = new Bench({ parameters: { batch: { lingerMs: 0 } } }).start()
      bench.isolate(1)
      bench.replica(1).propose('only here')
      for (const id of [2, 3, 4]) bench.replica(id).propose('elsewhere')
      bench.elapse(5 * timeoutMs)
      for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toEqual(['elsewhere'])
      if (isRestarted) {
        bench.replica(1).crash().start()
        bench.replica(1).propose('only here')
      }
      bench.heal()
      bench.elapse(20 * timeoutMs)
      expect(bench.replica(1).decidedHeight).toBeGreaterThan(0)
      // It waits in its pool again, or has gone on to the primary of today.
      const { pool } = bench.replica(1)
      expect(pool.texts.includes('only here') || bench.replica(1).texts.includes('only here')).toBe(true)
    }
  })
})
