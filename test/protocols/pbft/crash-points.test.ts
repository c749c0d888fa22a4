// B22: a crash after every record that becomes durable, of every replica, in short scenarios. What was not durable is lost; the replica starts
// again from the rest. Nobody decides two blocks (the bench looks), and no replica ever signs two statements for one view, height and phase, two
// view changes to one view, or two new views for one view, in whatever life.

import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/wire/codec.ts'
import { blockDigest } from '../../../src/kernel/block.ts'
import { toHex } from '../../../src/kernel/hex.ts'
import { newViewBodyCodec, viewChangeBodyCodec, type PbftMessage } from '../../../src/protocols/pbft/messages.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { Bench, timeoutMs, type Sent } from './bench.ts'

/** What may be said once only, and what was said. */
function said(message: PbftMessage): { once: string; what: string } | null {
  switch (message.kind) {
    case 'pre-prepare': {
      const { view, header } = message
      return { once: `pre-prepare ${view} ${header.height}`, what: toHex(blockDigest(simulatedHasher, header)) }
    }
    case 'prepare':
    case 'commit':
      return { once: `${message.kind} ${message.view} ${message.height}`, what: toHex(message.digest) }
    case 'view-change':
      return {
        once: `view-change of ${message.sender} ${message.view}`,
        what: toHex(simulatedHasher.digest(encode(viewChangeBodyCodec, message))),
      }
    case 'new-view':
      return {
        once: `new-view ${message.view}`,
        what: toHex(simulatedHasher.digest(encode(newViewBodyCodec, message))),
      }
    default:
      return null
  }
}

function contradictions(sent: readonly Sent[]): string[] {
  const first = new Map<string, string>()
  const found: string[] = []
  for (const { from, message } of sent) {
    const one = said(message)
    if (one === null) continue
    const by = message.kind === 'view-change' || message.kind === 'new-view' ? '' : `${from} `
    const known = first.get(by + one.once)
    if (known === undefined) first.set(by + one.once, one.what)
    else if (known !== one.what) found.push(by + one.once)
  }
  return found
}

/** Prepared, committed in an earlier view than the replica has left: B9, R12. */
function votesBelowAsked(sent: readonly Sent[]): string[] {
  const asked = new Map<number, number>()
  const found: string[] = []
  for (const { from, message } of sent) {
    if (message.kind === 'view-change' && message.sender === from)
      asked.set(from, Math.max(asked.get(from) ?? 0, message.view))
    if ((message.kind === 'prepare' || message.kind === 'commit') && message.view < (asked.get(from) ?? 0))
      found.push(`${from} ${message.kind} ${message.view}`)
  }
  return found
}

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
