// Replication: what followers acknowledge and truncate, what leaders make of answers, and that a pipeline never wedges.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { Append, Heartbeat, RaftMessage } from '../../../src/protocols/raft/messages.ts'
import { Bench, emptyLogOf, entryOf, isTo, kinds, logOf, type Replica } from './bench.ts'
import { payloadOf } from './test-pool.ts'

const one = replicaId(1)
const two = replicaId(2)
const three = replicaId(3)

function append(changes: Partial<Append>): Append {
  return { kind: 'append', term: 1, previousIndex: 0, previousTerm: 0, commit: 0, round: 0, entries: [], ...changes }
}

function heartbeat(changes: Partial<Heartbeat>): Heartbeat {
  return { kind: 'heartbeat', term: 1, previousIndex: 0, previousTerm: 0, commit: 0, round: 0, ...changes }
}

function answerOf(bench: Bench, from: number): RaftMessage | undefined {
  return bench.take((sent) => sent.from === from).at(-1)?.message
}

function matchOf(message: RaftMessage | undefined): number {
  if (message?.kind !== 'append-answer' && message?.kind !== 'heartbeat-answer') throw new Error('no answer')
  return message.matchIndex
}

describe('a follower', () => {
  it('C14: acknowledges entries when they are durable, and not before', () => {
    const bench = new Bench({ autoSync: false }).start()
    const follower = bench.replica(2)
    follower.receive(one, append({ entries: logOf(1, 1), commit: 1 }))
    expect(bench.network).toEqual([])
    expect(follower.decided).toEqual([])
    // The term alone is not enough.
    follower.sync(1)
    expect(bench.network).toEqual([])
    expect(follower.decided).toEqual([])
    follower.sync()
    expect(matchOf(answerOf(bench, 2))).toBe(2)
    expect(follower.decided).toHaveLength(1)
  })

  it('C14: acknowledges a repeated append no earlier than the first', () => {
    const bench = new Bench({ autoSync: false }).start()
    const follower = bench.replica(2)
    follower.receive(one, append({ entries: logOf(1) }))
    follower.receive(one, append({ entries: logOf(1) }))
    expect(bench.network).toEqual([])
    follower.sync()
    expect(bench.network).toHaveLength(2)
  })

  it('C16: acknowledges the end of the message, not of its own longer and divergent log', () => {
    const bench = new Bench().givenLog(2, logOf(1, 1, 2, 2, 2), 2).start()
    const follower = bench.replica(2)
    follower.receive(one, append({ term: 3, previousIndex: 1, previousTerm: 1, entries: [logOf(1, 1)[1]!] }))
    expect(matchOf(answerOf(bench, 2))).toBe(2)
    follower.receive(one, heartbeat({ term: 3, previousIndex: 2, previousTerm: 1 }))
    expect(matchOf(answerOf(bench, 2))).toBe(2)
    expect(follower.terms).toEqual([1, 1, 2, 2, 2])
  })

  it('C16: commits no further than the message proved, whatever the leader has committed', () => {
    const bench = new Bench().givenLog(2, logOf(1, 1, 2, 2, 2), 2).start()
    const follower = bench.replica(2)
    follower.receive(one, append({ term: 3, previousIndex: 1, previousTerm: 1, entries: [logOf(1, 1)[1]!], commit: 5 }))
    expect(follower.status.decidedHeight).toBe(2)
    follower.receive(one, heartbeat({ term: 3, previousIndex: 2, previousTerm: 1, commit: 5 }))
    expect(follower.status.decidedHeight).toBe(2)
  })

  it('truncates only from a conflicting entry on: a late, shorter append undoes nothing', () => {
    const bench = new Bench().start()
    const follower = bench.replica(2)
    const log = logOf(1, 1, 1, 1)
    follower.receive(one, append({ entries: log }))
    const { persisted } = follower
    follower.receive(one, append({ entries: log.slice(0, 2) }))
    expect(follower.terms).toEqual([1, 1, 1, 1])
    expect(follower.persisted).toBe(persisted)
    expect(follower.noted('truncated')).toEqual([])
  })

  it('replaces what conflicts, and keeps what agrees', () => {
    const bench = new Bench().givenLog(2, logOf(1, 1, 2, 2), 2).start()
    const follower = bench.replica(2)
    follower.receive(one, append({ term: 3, entries: [...logOf(1, 1), entryOf(3, 3, 'new')] }))
    expect(follower.terms).toEqual([1, 1, 3])
    expect(follower.noted('truncated').map((note) => note.detail)).toEqual([{ from: 3, count: 2, conflicting: true }])
    // As it is after a restart, too.
    follower.crash()
    follower.start()
    follower.receive(one, heartbeat({ term: 3, previousIndex: 3, previousTerm: 3, commit: 3 }))
    expect(follower.texts).toEqual(['1.1', '1.2', 'new'])
  })

  it('gives the requests of truncated blocks back to its pool', () => {
    const bench = new Bench().start().elect(1)
    const old = bench.isolate(1).replica(1)
    old.propose('lost?')
    expect(old.pool.texts).toEqual([])
    bench.elect(2)
    bench.replica(2).propose('other')
    bench.settle()
    bench.heal().elapse(3000)
    expect(old.texts).toContain('other')
    expect(old.pool.texts).toEqual(['lost?'])
    expect(old.pool.forwarded).toContainEqual({ to: 2, texts: ['lost?'] })
  })

  it('rejects what does not fit, with a hint, and persists nothing for it', () => {
    const bench = new Bench().givenLog(2, logOf(1, 1, 2, 2), 3).start()
    const follower = bench.replica(2)
    const { persisted } = follower
    follower.receive(one, append({ term: 3, previousIndex: 9, previousTerm: 3, entries: [entryOf(3, 10)] }))
    expect(answerOf(bench, 2)).toMatchObject({ kind: 'rejection', rejectedIndex: 9, hintIndex: 4, hintTerm: 2 })
    follower.receive(one, append({ term: 3, previousIndex: 4, previousTerm: 1, entries: [entryOf(3, 5)] }))
    expect(answerOf(bench, 2)).toMatchObject({ kind: 'rejection', rejectedIndex: 4, hintIndex: 2, hintTerm: 1 })
    follower.receive(one, heartbeat({ term: 3, previousIndex: 4, previousTerm: 3 }))
    expect(answerOf(bench, 2)).toMatchObject({ kind: 'rejection', rejectedIndex: 4 })
    expect(follower.persisted).toBe(persisted)
  })

  it('drops an append whose payload is not the one its digest names', () => {
    const bench = new Bench().start()
    const follower = bench.replica(2)
    const [sound] = logOf(1)
    const damaged = { ...sound!, block: { ...sound!.block, payload: payloadOf('forged') } }
    follower.receive(one, append({ entries: [damaged] }))
    expect(bench.network).toEqual([])
    expect(follower.log).toEqual([])
    expect(follower.noted('malformed-append')).toHaveLength(1)
  })

  it('drops appends with wrong heights, epochs or terms', () => {
    const bench = new Bench().start()
    const follower = bench.replica(2)
    const [sound] = logOf(1)
    const { header, payload } = sound!.block
    const bad: Append[] = [
      append({ entries: [{ term: 1, block: { header: { ...header, height: 2 }, payload } }] }),
      append({ entries: [{ term: 1, block: { header: { ...header, epoch: 2 }, payload } }] }),
      append({ entries: [{ term: 2, block: { header, payload } }] }),
      append({ entries: [{ term: 0, block: { header, payload } }] }),
      append({ entries: [sound!, { term: 0, block: entryOf(0, 2).block }] }),
      append({ previousIndex: 3, previousTerm: 2 }),
      append({ term: 0 }),
    ]
    for (const message of bad) follower.receive(one, message)
    expect(follower.log).toEqual([])
    expect(follower.noted('malformed-append')).toHaveLength(bad.length)
  })

  it('keeps what is committed, against a message that no honest leader sends, and goes on', () => {
    const bench = new Bench().start()
    const follower = bench.replica(2)
    follower.receive(one, append({ entries: logOf(1, 1), commit: 2 }))
    bench.take()
    follower.receive(three, append({ term: 2, previousIndex: 1, previousTerm: 1, entries: [entryOf(2, 2, 'x')] }))
    expect(bench.network).toEqual([])
    expect(follower.terms).toEqual([1, 1])
    follower.receive(three, append({ term: 2, previousIndex: 2, previousTerm: 1, entries: [entryOf(2, 3, 'y')] }))
    expect(matchOf(answerOf(bench, 2))).toBe(3)
  })

  it('tells a leader of an earlier term that there is a later one', () => {
    const bench = new Bench().givenLog(2, [], 5).start()
    for (const message of [append({ term: 4 }), heartbeat({ term: 4 })]) {
      bench.replica(2).receive(one, message)
      expect(answerOf(bench, 2)).toMatchObject({ kind: 'rejection', term: 5 })
    }
  })

  it('that is a learner follows, and is counted in no quorum', () => {
    const bench = new Bench({ voters: 3, learners: 1 }).start().elect(1)
    bench.replica(1).propose('a')
    bench.settle()
    expect(bench.replica(4).texts).toEqual(['a'])
    expect(bench.replica(4).status.role).toBe('learner')
    for (const voter of [2, 3]) bench.replica(voter).crash()
    bench.replica(1).propose('b')
    bench.settle()
    expect(bench.replica(4).terms).toHaveLength(3)
    expect(bench.replica(1).texts).toEqual(['a'])
    expect(bench.replica(4).timers.has('election')).toBe(true)
    bench.elapse(10_000)
    expect(bench.sent.filter(({ from, message }) => from === 4 && message.kind === 'vote-request')).toEqual([])
  })
})

describe('a leader', () => {
  it('C12: counts its own copy when that is durable, and not before', () => {
    for (const voters of [1, 3]) {
      const bench = new Bench({ voters }).start()
      if (voters > 1) bench.elect(1)
      const leader = bench.replica(1)
      leader.autoSync = false
      if (voters > 1) bench.replica(3).crash()
      leader.propose('a')
      // With three, replica 2 has it on disk; that and a copy in the leader's memory are no quorum.
      bench.settle()
      expect(leader.texts).toEqual([])
      leader.sync()
      expect(leader.texts).toEqual(['a'])
    }
  })

  it('C12: what it acknowledged survives its crash, at every step of its disk', () => {
    for (const voters of [1, 3]) {
      for (let step = 0; step < 8; step++) {
        const bench = new Bench({ voters, autoSync: false }).start()
        const syncAll = () => bench.replicas.forEach((replica) => replica.sync())
        for (let round = 0; round < 20 && bench.leader === null; round++) {
          bench.elapse(500)
          syncAll()
        }
        const leader = bench.leader!
        leader.propose('a', 'b')
        leader.propose('c')
        for (let at = 0; at < step; at++) {
          leader.sync(leader.durable + 1)
          bench.deliver()
          if (at % 2 === 1) syncAll()
        }
        const acknowledged = leader.texts
        for (const replica of bench.replicas) replica.crash()
        for (const replica of bench.replicas) {
          replica.autoSync = true
          replica.start()
        }
        bench.network = []
        bench.elapse(6000)
        bench.leader!.propose('after')
        bench.elapse(2000)
        for (const replica of bench.replicas) {
          expect(replica.texts.slice(0, acknowledged.length)).toEqual(acknowledged)
          expect(replica.texts).toContain('after')
        }
      }
    }
  })

  it('sends appends before its own disk has them, and nothing of a term before the term is durable', () => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    leader.autoSync = false
    leader.propose('a')
    expect(bench.network.map((sent) => sent.message.kind)).toEqual(['append', 'append'])
    expect(leader.durable).toBeLessThan(leader.persisted)
    // The followers are a quorum without it, and what they store is decided.
    bench.settle()
    expect(leader.texts).toEqual(['a'])
  })

  it('finds where logs agree in a round for each divergent term (C20), with 100,000 divergent entries', () => {
    const shared = 10
    const terms = 20
    const leaders = Array.from({ length: shared }, () => 1)
    const followers = [...leaders]
    // The two logs hold interleaved terms: the worst case for the hint.
    for (let term = 0; term < terms; term++) {
      for (let entry = 0; entry < 5000; entry++) followers.push(2 + 2 * term)
      for (let entry = 0; entry < 5000; entry++) leaders.push(3 + 2 * term)
    }
    const last = 2 + 2 * terms
    const bench = new Bench({ voters: 3 })
    for (const id of [1, 3]) bench.givenLog(id, emptyLogOf(leaders), last)
    bench.givenLog(2, emptyLogOf(followers), last).start()
    bench.isolate(2).elect(1)
    bench.heal()
    const before = bench.sent.length
    bench.elapse(400)
    const rejections = bench.sent.slice(before).filter((sent) => sent.message.kind === 'rejection')
    expect(rejections.length).toBeGreaterThan(terms / 2)
    expect(rejections.length).toBeLessThanOrEqual(2 * terms + 2)
    expect(bench.replica(2).status.decidedHeight).toBe(leaders.length + 1)
  }, 60_000)

  it('C18: moves no match index by answers that come late, doubled, out of order or from another term', () => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    for (const text of ['a', 'b', 'c']) {
      leader.propose(text)
      bench.settle()
    }
    const answers = bench.sent.filter((sent) => sent.to === 1)
    const sentBefore = bench.sent.length
    for (let copy = 0; copy < 2; copy++) {
      for (const { from, message } of answers.toReversed()) leader.receive(from, message)
    }
    expect(leader.status).toMatchObject({ role: 'leader', decidedHeight: 4 })
    expect(bench.sent).toHaveLength(sentBefore)
    // And in the next term, whose leader is another: nothing of the old term counts.
    bench.elect(2)
    bench.isolate(2)
    bench.replica(2).propose('d')
    for (const { message } of answers) bench.replica(2).receive(one, { ...message })
    const stale: RaftMessage = { kind: 'append-answer', term: 1, round: 0, matchIndex: 6 }
    bench.replica(2).receive(one, stale)
    bench.replica(2).receive(three, stale)
    expect(bench.replica(2).texts).not.toContain('d')
  })

  it('C18: takes no entry for stored because a follower once rejected something else', () => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    leader.propose('a')
    bench.settle()
    const rejection: RaftMessage = { kind: 'rejection', term: 1, round: 0, rejectedIndex: 1, hintIndex: 0, hintTerm: 0 }
    const before = bench.sent.length
    for (let copy = 0; copy < 3; copy++) leader.receive(two, rejection)
    expect(bench.sent).toHaveLength(before)
    leader.propose('b')
    bench.settle()
    expect(bench.replica(2).texts).toEqual(['a', 'b'])
  })

  it('C19: that stepped down keeps what it acknowledged, and catches up', () => {
    const bench = new Bench().start().elect(1)
    const old = bench.replica(1)
    old.propose('a')
    bench.settle()
    old.propose('b')
    bench.deliver(kinds('append'))
    bench.isolate(1).elapse(4000)
    expect(old.noted('stepped-down')).toHaveLength(1)
    expect(old.terms).toHaveLength(3)
    bench.heal().elapse(4000)
    for (const replica of bench.replicas) expect(replica.texts).toEqual(['a', 'b'])
  })

  it('C41: brings up a follower that stood still, however long and at whatever point of the pipeline', () => {
    for (let delivered = 0; delivered <= 6; delivered++) {
      const bench = new Bench({ parameters: { batch: { operationsMax: 1, lingerMs: 0 } } }).start().elect(1)
      const leader = bench.replica(1)
      for (let block = 0; block < 6; block++) leader.propose(`${block}`)
      const toFollower = bench.take(isTo(3))
      for (const { from, message } of toFollower.slice(0, delivered)) bench.replica(3).receive(from, message)
      bench.isolate(3)
      bench.settle()
      for (let late = 0; late < 20; late++) {
        leader.propose(`late ${late}`)
        bench.settle()
      }
      bench.elapse(30_000)
      bench.heal().elapse(1000)
      expect(bench.leader?.id).toBe(1)
      expect(bench.replica(3).texts).toEqual(leader.texts)
      expect(leader.texts).toHaveLength(26)
    }
  })

  it('C41: finds any single lost message again within a bounded time', () => {
    const run = (lose: number): { bench: Bench; lost: boolean } => {
      const bench = new Bench({ parameters: { batch: { operationsMax: 1, lingerMs: 0 } } }).start().elect(1)
      let counter = 0
      const post = bench.post.bind(bench)
      bench.post = (sent) => {
        if (counter++ !== lose) post(sent)
      }
      for (let block = 0; block < 5; block++) bench.replica(1).propose(`${block}`)
      bench.elapse(700)
      return { bench, lost: counter > lose }
    }
    let lose = 0
    for (; lose < 60; lose++) {
      const { bench, lost } = run(lose)
      if (!lost) break
      for (const replica of bench.replicas)
        expect(replica.texts, `without message ${lose}`).toEqual(['0', '1', '2', '3', '4'])
    }
    expect(lose).toBeGreaterThan(20)
  })

  it('makes a lost probe again where it stood, and does not send the whole log', () => {
    const bench = new Bench()
    const log = logOf(...Array.from({ length: 500 }, () => 1))
    for (const id of [1, 2, 3]) bench.givenLog(id, log, 1)
    bench.start()
    const leader = bench.replica(1)
    bench.replica(1).fireWhenDue('election')
    bench.settle(kinds('vote-request', 'vote-answer'))
    expect(leader.status.role).toBe('leader')
    expect(bench.take(kinds('append'))).toHaveLength(2)
    const before = bench.sent.length
    bench.elapse(1000)
    const entries = bench.sent
      .slice(before)
      .map(({ message }) => (message.kind === 'append' ? message.entries.length : 0))
    expect(Math.max(...entries)).toBe(1)
    expect(bench.replica(3).status.decidedHeight).toBe(501)
  })

  it('sends a follower that is down heartbeats, and entries only when it has answered one', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(3).crash()
    bench.replica(1).propose('a')
    bench.elapse(1000)
    const before = bench.sent.length
    for (let block = 0; block < 10; block++) {
      bench.replica(1).propose(`${block}`)
      bench.elapse(500)
    }
    const toDown = bench.sent.slice(before).filter((sent) => sent.to === 3)
    expect(toDown.some((sent) => sent.message.kind === 'heartbeat')).toBe(true)
    expect(toDown.filter((sent) => sent.message.kind === 'append')).toEqual([])
    bench.replica(3).start()
    bench.elapse(300)
    expect(bench.replica(3).texts).toEqual(bench.replica(1).texts)
  })

  it('keeps within the entries in flight', () => {
    const bench = new Bench({
      parameters: { raft: { inflightEntriesMax: 3 }, batch: { operationsMax: 1, lingerMs: 0 } },
    })
      .start()
      .elect(1)
    const leader = bench.replica(1)
    for (let block = 0; block < 9; block++) leader.propose(`${block}`)
    expect(outstandingEntries(bench, 2)).toBe(3)
    bench.deliver(isTo(2))
    bench.deliver(isTo(1))
    expect(outstandingEntries(bench, 2)).toBe(3)
    bench.settle()
    expect(bench.replica(2).texts).toHaveLength(9)
  })

  it('keeps within the bytes in flight, but for a single entry that is larger', () => {
    const bench = new Bench({
      parameters: { raft: { inflightBytesMax: 65_536 }, batch: { operationsMax: 1, lingerMs: 0 } },
    })
      .start()
      .elect(1)
    const leader = bench.replica(1)
    const texts = Array.from({ length: 6 }, (_, block) => `${block}`.repeat(30_000))
    for (const text of texts) leader.propose(text)
    expect(outstandingEntries(bench, 2)).toBe(2)
    bench.settle()
    leader.propose('9'.repeat(200_000))
    leader.propose('last')
    expect(outstandingEntries(bench, 2)).toBe(1)
    bench.settle()
    expect(bench.replica(2).texts).toHaveLength(8)
  })

  it('sends at most 64 entries and, beyond the first, a megabyte in one message', () => {
    const bench = new Bench({
      parameters: { flow: { pipelineBlocksMax: 200 }, batch: { operationsMax: 1, lingerMs: 0 } },
    })
    bench.start().isolate(3)
    bench.elect(1)
    const leader = bench.replica(1)
    for (let block = 0; block < 150; block++) leader.propose(`${block}`)
    bench.settle()
    for (let block = 0; block < 4; block++) leader.propose(`${block}`.repeat(400_000))
    bench.settle()
    bench.heal().elapse(1000)
    expect(bench.replica(3).texts).toHaveLength(154)
    for (const { message } of bench.sent) {
      if (message.kind !== 'append') continue
      expect(message.entries.length).toBeLessThanOrEqual(64)
      const bytes = message.entries.reduce((sum, entry) => sum + entry.block.payload.length, 0)
      expect(message.entries.length === 1 || bytes <= 1024 * 1024).toBe(true)
    }
  })

  it('starts at the first height of a later epoch', () => {
    const bench = new Bench({ firstHeight: 1001 }).start().elect(1)
    bench.replica(1).propose('a')
    bench.settle()
    for (const replica of bench.replicas) expect(replica.decided.map(({ proof }) => proof.index)).toEqual([1001, 1002])
    bench.replica(2).crash()
    bench.replica(2).start()
    bench.elapse(500)
    expect(bench.replica(2).texts).toEqual(['a'])
  })

  it('never takes answers for more than it sent', () => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    bench.isolate(1)
    leader.propose('a')
    const beyond: RaftMessage = { kind: 'append-answer', term: 1, round: 0, matchIndex: 3 }
    leader.receive(two, beyond)
    leader.receive(three, beyond)
    expect(leader.texts).toEqual([])
    expect(leader.noted('malformed-answer')).toHaveLength(2)
  })
})

/** Entries on the network to a follower, and not beyond what it has. */
function outstandingEntries(bench: Bench, to: number): number {
  const follower: Replica = bench.replica(to)
  let highest = follower.log.length
  for (const { to: receiver, message } of bench.network) {
    if (receiver !== to || message.kind !== 'append') continue
    highest = Math.max(highest, message.previousIndex + message.entries.length)
  }
  return highest - follower.log.length
}
