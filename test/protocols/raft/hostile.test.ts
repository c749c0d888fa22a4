// Whatever arrives, a core never throws, stays bounded, and keeps its promises. And whatever the network, the disks and the processes
// do, within the crash model, no two replicas disagree, nothing decided is lost, and all come together again afterwards.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { termMax, type RaftMessage } from '../../../src/protocols/raft/messages.ts'
import { Bench, entryOf, logOf } from './bench.ts'
import { payloadOf } from './test-pool.ts'

const extreme = [0, 1, 2, 3, 4, 5, 63, 64, 65, 2 ** 31, 2 ** 32, 2 ** 50 - 1, 2 ** 50, Number.MAX_SAFE_INTEGER]
const number = fc.oneof(fc.nat(6), fc.constantFrom(...extreme))
const term = fc.oneof(fc.nat(6), fc.constantFrom(...extreme.filter((value) => value <= termMax)))
const entry = fc
  .record({ term, height: number, good: fc.boolean(), epoch: fc.constantFrom(1, 1, 1, 2) })
  .map(({ term: of, height, good, epoch }) => {
    const made = entryOf(of, height, 'x')
    const header = { ...made.block.header, epoch }
    return { term: of, block: { header, payload: good ? made.block.payload : payloadOf('y') } }
  })
const proven = { term, previousIndex: number, previousTerm: term, commit: number, round: number }
const message: fc.Arbitrary<RaftMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('vote-request' as const),
    term,
    preVote: fc.boolean(),
    lastIndex: number,
    lastTerm: term,
  }),
  fc.record({ kind: fc.constant('vote-answer' as const), term, preVote: fc.boolean(), granted: fc.boolean() }),
  fc.record({ kind: fc.constant('append' as const), ...proven, entries: fc.array(entry, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant('heartbeat' as const), ...proven }),
  fc.record({ kind: fc.constant('transfer-vote-request' as const), term, lastIndex: number, lastTerm: term }),
  fc.record({ kind: fc.constant('timeout-now' as const), term, round: number, lastIndex: number }),
  fc.record({ kind: fc.constant('append-answer' as const), term, round: number, matchIndex: number }),
  fc.record({ kind: fc.constant('heartbeat-answer' as const), term, round: number, matchIndex: number }),
  fc.record({
    kind: fc.constant('rejection' as const),
    term,
    round: number,
    rejectedIndex: number,
    hintIndex: number,
    hintTerm: term,
  }),
)
const stimulus = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('message' as const), from: fc.integer({ min: 2, max: 4 }), message }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('timer' as const), afterMs: fc.nat(3000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('request' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const) }) },
)

describe('any messages at all', () => {
  it.each(['follower', 'leader', 'candidate'] as const)('make no %s throw, forget, go back, or grow', (role) => {
    fc.assert(
      fc.property(fc.array(stimulus, { maxLength: 40 }), (stimuli) => {
        const bench = new Bench({ voters: 3, learners: 1 }).givenLog(1, logOf(1, 1, 2), 2).start()
        const target = bench.replica(1)
        if (role === 'leader') bench.elect(1)
        if (role === 'candidate') target.fireWhenDue('election')
        for (const id of [2, 3, 4]) bench.replica(id).crash()
        // What liars send is no agreement: what the target decides is checked against itself alone.
        bench.checkLeader = () => {}
        let { view, decidedHeight } = target.status
        for (const [index, one] of stimuli.entries()) {
          if (one.kind === 'message') target.receive(replicaId(one.from), one.message)
          else if (one.kind === 'request') target.propose(`request ${index}`)
          else if (one.kind === 'read') target.step({ kind: 'read', id: index })
          else {
            bench.nowMs += one.afterMs
            for (const [name, dueMs] of target.timers) if (dueMs <= bench.nowMs) target.fire(name)
          }
          bench.network = []
          expect(target.status.view).toBeGreaterThanOrEqual(view)
          expect(target.status.decidedHeight).toBeGreaterThanOrEqual(decidedHeight)
          ;({ view, decidedHeight } = target.status)
        }
        expect(target.log.length).toBeLessThan(3 + 4 * 40 + 40)
        // It starts again from what it wrote, in the same term.
        target.crash()
        target.start()
        expect(target.status.view).toBe(view)
      }),
      { numRuns: 400 },
    )
  })
})

describe('any schedule of the crash model', () => {
  it('keeps agreement and election safety, loses nothing that was acknowledged, and ends in agreement', () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = createRandom(seed)
      const voters = random.pick([3, 3, 4, 5])
      const flags = { preVote: random.chance(3, 4), checkQuorum: random.chance(3, 4) }
      const parameters = {
        raft: { ...flags, inflightEntriesMax: random.pick([1, 3, 64]) },
        batch: { operationsMax: random.pick([1, 3]), lingerMs: random.pick([0, 5]) },
      }
      const bench = new Bench({ voters, seed, autoSync: false, parameters }).start()
      const acknowledged = new Map<number, string>()
      const observe = () => {
        for (const replica of bench.replicas) {
          for (const { block } of replica.decided)
            acknowledged.set(block.header.height, block.header.payloadDigest.join())
        }
      }
      for (let step = 0; step < 300; step++) {
        const replica = bench.replica(1 + random.below(voters))
        const dice = random.below(100)
        if (dice < 50) deliverOne(bench, random)
        else if (dice < 70) replica.sync(replica.durable + random.below(4))
        else if (dice < 84) bench.nowMs += fireNext(bench)
        else if (dice < 92 && replica.isUp) replica.propose(`${seed}.${step}`)
        else if (dice < 94 && replica.isUp) replica.step({ kind: 'read', id: step })
        else if (dice < 96) bench.take(() => random.chance(1, 3))
        else if (dice < 98 && bench.network.length > 0) bench.network.push(random.pick(bench.network))
        else if (replica.isUp) replica.crash()
        else replica.start()
        observe()
      }
      for (const replica of bench.replicas) {
        replica.autoSync = true
        if (!replica.isUp) replica.start()
        replica.sync()
      }
      bench.settle()
      bench.elapse(15_000)
      expect(bench.leader, `seed ${seed}`).not.toBeNull()
      bench.leader!.propose('last')
      bench.elapse(2000)
      for (const replica of bench.replicas) {
        expect(replica.texts, `seed ${seed}`).toContain('last')
        const digests = replica.decided.map(({ block }) => block.header.payloadDigest.join())
        for (const [height, digest] of acknowledged) expect(digests[height - 1], `seed ${seed}`).toBe(digest)
        expect(new Set(replica.texts).size, `seed ${seed}`).toBe(replica.texts.length)
      }
    }
  }, 60_000)
})

/** Any message, in any order. */
function deliverOne(bench: Bench, random: ReturnType<typeof createRandom>): void {
  if (bench.network.length === 0) return
  const [sent] = bench.network.splice(random.below(Math.min(bench.network.length, 20)), 1)
  bench.replica(sent!.to).receive(sent!.from, sent!.message)
}

/** Fires the timer that is due next, and says how much later that is. */
function fireNext(bench: Bench): number {
  let next: { id: number; name: string; dueMs: number } | null = null
  for (const { id, timers } of bench.replicas) {
    for (const [name, dueMs] of timers) if (next === null || dueMs < next.dueMs) next = { id, name, dueMs }
  }
  if (next === null) return 1
  bench.nowMs = Math.max(bench.nowMs, next.dueMs)
  bench.replica(next.id).fire(next.name)
  return 0
}
