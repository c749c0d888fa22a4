// B22: a crash after every record that becomes durable, of every replica, in short scenarios. What was not durable is lost; the replica starts
// again from the rest. Nobody decides two blocks (the bench looks), and no replica ever signs two statements for one view, height and phase, two
// view changes to one view, or two new views for one view, in whatever life.

import { describe, expect, it } from 'vitest'
import { Bench, timeoutMs, type Sent } from './bench.ts'
import { contradictions, votesBelowAsked } from './words.ts'

interface Scenario {
  name: string
  voters: number
  act: (bench: Bench, sync: Sync) => void
}

type Sync = (matches?: (sent: Sent) => boolean) => void

/** Everything becomes durable, one record at a time, with deliveries between; the victim stops for good at its limit. */
function createSync(bench: Bench, victim: number, limit: number): Sync {
  return (matches = () => true) => {
    for (let busy = true; busy;) {
      busy = false
      for (const replica of bench.replicas) {
        if (!replica.isUp || replica.durable >= replica.persisted) continue
        if (replica.id === victim && replica.durable >= limit) continue
        replica.sync(replica.durable + 1)
        busy = true
      }
      if (bench.deliver(matches) > 0) busy = true
      for (const replica of bench.replicas) replica.execute()
    }
  }
}

const scenarios: Scenario[] = [
  {
    name: 'the normal case',
    voters: 4,
    act: (bench, sync) => {
      bench.replica(1).propose('a')
      bench.replica(1).propose('b')
      sync()
    },
  },
  {
    name: 'a view change with something prepared',
    voters: 4,
    act: (bench, sync) => {
      bench.replica(1).propose('a')
      // Prepared everywhere, committed nowhere.
      sync((sent) => sent.message.kind !== 'commit')
      bench.take()
      for (const id of [2, 3, 4]) bench.replica(id).propose('b')
      for (const id of [2, 3, 4]) bench.cut(1, id)
      for (const id of [2, 3, 4]) {
        bench.nowMs += timeoutMs
        if (bench.replica(id).timers.has('request')) bench.replica(id).fire('request')
        sync()
      }
    },
  },
  {
    name: 'a primary dies between two blocks, with five voters',
    voters: 5,
    act: (bench, sync) => {
      bench.replica(1).propose('a')
      sync()
      bench.replica(1).propose('b')
      bench.cut(1, 4).cut(1, 5)
      sync()
      for (const id of [2, 3, 4, 5]) bench.replica(id).propose('c')
      for (const id of [2, 3, 4, 5]) bench.cut(1, id)
      bench.nowMs += timeoutMs
      for (const id of [2, 3, 4, 5]) if (bench.replica(id).timers.has('request')) bench.replica(id).fire('request')
      sync()
    },
  },
  {
    name: 'two views in a row',
    voters: 4,
    act: (bench, sync) => {
      for (const view of [1, 2]) {
        for (const id of [1, 2, 3, 4]) bench.replica(id).propose(`v${view}`)
        bench.take()
        bench.nowMs += timeoutMs
        for (const id of [1, 2, 3, 4]) if (bench.replica(id).timers.has('request')) bench.replica(id).fire('request')
        sync()
      }
    },
  },
]

describe('a crash at every point of persistence', () => {
  for (const { name, voters, act } of scenarios) {
    for (let victim = 1; victim <= voters; victim++) {
      it(`${name}: replica ${victim}`, () => {
        let points = 0
        for (let limit = 0; ; limit++) {
          const bench = new Bench({
            voters,
            autoSync: false,
            parameters: { batch: { lingerMs: 0 }, timers: { heartbeatMs: 1000 } },
          })
          for (const replica of bench.replicas) {
            replica.autoExecute = false
            replica.start()
          }
          const sync = createSync(bench, victim, limit)
          sync()
          act(bench, sync)
          const reached = bench.replica(victim).persisted
          bench.heal()
          bench.take()
          bench.replica(victim).crash()
          for (const replica of bench.replicas) {
            replica.autoSync = true
            replica.autoExecute = true
            replica.sync()
          }
          bench.replica(victim).start()
          for (const replica of bench.replicas) replica.propose(`after ${limit}`)
          bench.elapse(15 * timeoutMs)
          expect(contradictions(bench.sent), `crash at ${limit}`).toEqual([])
          expect(votesBelowAsked(bench.sent), `crash at ${limit}`).toEqual([])
          const heights = bench.replicas.map((replica) => replica.decidedHeight)
          expect(new Set(heights).size, `crash at ${limit}: ${heights}`).toBe(1)
          for (const replica of bench.replicas) expect(replica.texts, `crash at ${limit}`).toContain(`after ${limit}`)
          points++
          if (reached <= limit) break
        }
        expect(points).toBeGreaterThan(2)
      })
    }
  }
})
