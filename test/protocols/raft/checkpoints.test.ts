// The log is cut below checkpoints, and a state that was fetched takes the place of what it lacks: nothing that was promised is lost by
// it, whatever messages are on their way and wherever a crash falls.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { heldBackBytesMax } from '../../../src/protocols/raft/checkpoints.ts'
import type { RaftMessage } from '../../../src/protocols/raft/messages.ts'
import { Bench, electionTimeoutMs, entryOf, isTo, kinds, logOf, type BenchOptions, type Replica } from './bench.ts'

const two = replicaId(2)

/** Replica 1 leads; `count` blocks are decided by those who hear it. */
function decided(count: number, options: BenchOptions = {}, deaf: number[] = []): Bench {
  const bench = new Bench(options).start().elect(1)
  for (const id of deaf) bench.isolate(id)
  for (let at = 1; at < count; at++) {
    bench.replica(1).propose(`${at}`)
    bench.settle()
  }
  // Long enough for the leader to take those who are deaf for gone.
  bench.elapse(2 * electionTimeoutMs)
  return bench
}

function bases(replica: Replica): [number, boolean][] {
  return replica.disk.flatMap(({ record }) => (record.kind === 'base' ? [[record.index, record.truncates]] : []))
}

describe('a stable checkpoint', () => {
  it('cuts the log at the stable checkpoint before it, never above', () => {
    const bench = decided(20)
    const replica = bench.replica(2)
    replica.stable(8)
    expect(replica.released).toBe(0)
    expect(replica.log).toHaveLength(20)
    replica.stable(16)
    expect(bases(replica)).toEqual([[8, false]])
    expect(replica.log.map(({ block }) => block.header.height)).toEqual([9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
    // Told twice, or late: nothing more happens.
    const { persisted } = replica
    replica.stable(16)
    replica.stable(8)
    expect(replica.persisted).toBe(persisted)
  })

  it('releases up to the first record that holds an entry still kept', () => {
    const bench = decided(20)
    const replica = bench.replica(2)
    const holding = replica.disk.find(({ record }) => record.kind === 'entries' && record.firstIndex === 9)!
    replica.stable(8)
    replica.stable(16)
    expect(replica.released).toBe(holding.sequence)
    // Where nothing is kept, up to the base itself.
    replica.stable(20)
    bench.replica(1).propose('more')
    bench.settle()
    replica.stable(21)
    const base = replica.disk.findLast(({ record }) => record.kind === 'base')!
    expect(base.record).toMatchObject({ index: 20 })
    expect(replica.released).toBeLessThan(base.sequence)
  })

  it('has base, term and vote durable before anything is released', () => {
    const bench = decided(20)
    const replica = bench.replica(2)
    replica.stable(8)
    replica.autoSync = false
    replica.stable(16)
    const base = replica.persisted - 1
    expect(replica.released).toBe(0)
    replica.sync(base)
    expect(replica.released).toBe(0)
    replica.sync()
    expect(replica.released).toBeGreaterThan(0)
    expect(replica.disk.slice(-2).map(({ record }) => record.kind)).toEqual(['base', 'hard-state'])
  })

  it('keeps term and vote over a restart, though the records that said them first are gone', () => {
    const bench = decided(20)
    for (const replica of bench.replicas) {
      replica.stable(8)
      replica.stable(16)
      const { view } = replica.status
      expect(replica.disk.filter(({ record }) => record.kind === 'hard-state')).toHaveLength(1)
      replica.crash()
      replica.start()
      expect(replica.status.view).toBe(view)
    }
    // The vote of the term is spent.
    bench
      .replica(2)
      .receive(replicaId(3), { kind: 'vote-request', term: 1, preVote: false, lastIndex: 99, lastTerm: 1 })
    expect(bench.sent.at(-1)?.message).toMatchObject({ kind: 'vote-answer', granted: false })
  })

  it('C35: lets no log be purged above what was executed', () => {
    const bench = decided(20)
    const replica = bench.replica(2)
    replica.crash()
    replica.start()
    expect(() => replica.step({ kind: 'stable', checkpoint: bench.checkpointOf(8) })).toThrow('invariant')
  })
})

describe('a restart over a checkpoint', () => {
  it.each([1, 2, 5, 64])('begins behind it, with segments of %i records', (segmentRecords) => {
    const bench = decided(40, { segmentRecords })
    for (const height of [8, 16, 24, 32]) for (const replica of bench.replicas) replica.stable(height)
    for (const replica of bench.replicas) replica.crash()
    bench.network = []
    bench.start()
    for (const replica of bench.replicas) {
      expect(replica.status).toMatchObject({ decidedHeight: 32, executedHeight: 32, view: 1 })
    }
    bench.elect(2)
    bench.replica(2).propose('after')
    bench.settle()
    bench.elapse(200)
    for (const replica of bench.replicas) {
      expect(replica.decided[0]?.block.header.height).toBe(33)
      expect(replica.texts.at(-1)).toBe('after')
    }
  })

  it('begins behind the older one too, when the newer snapshot is damaged', () => {
    const bench = decided(40)
    const replica = bench.replica(3)
    for (const height of [8, 16, 24, 32]) replica.stable(height)
    replica.crash()
    replica.checkpoint = bench.checkpointOf(24)
    replica.start()
    bench.elapse(1000)
    expect(replica.decided[0]?.block.header.height).toBe(25)
    expect(replica.status.decidedHeight).toBe(40)
  })

  it('fetches a state when even that one is lost: what the log says it has promised it keeps, and decides nothing meanwhile', () => {
    const bench = decided(40)
    const replica = bench.replica(3)
    for (const height of [8, 16, 24, 32]) replica.stable(height)
    replica.crash()
    replica.checkpoint = null
    replica.start()
    expect(replica.fetched).toEqual([{ kind: 'state', minimumHeight: 24 }])
    bench.elapse(1000)
    expect(replica.status).toMatchObject({ decidedHeight: 0, view: 1 })
    expect(replica.status.phase).toContain('fetches a state of height 24')
    expect(replica.terms).toHaveLength(16)
    replica.restore(32)
    expect(replica.decided.map(({ block }) => block.header.height)).toEqual([33, 34, 35, 36, 37, 38, 39, 40])
  })

  it('bears every prefix of records that was left over, whole segments at a time', () => {
    // A log with truncations, two cuts and a restored checkpoint, as one replica wrote it.
    const bench = decided(12)
    const replica = bench.replica(3)
    bench.isolate(3)
    replica.receive(replicaId(1), {
      kind: 'append',
      term: 1,
      previousIndex: 12,
      previousTerm: 1,
      commit: 12,
      round: 1,
      entries: [entryOf(1, 13, 'never'), entryOf(1, 14, 'never')],
    })
    bench.replica(1).step({ kind: 'command', command: { kind: 'transfer-leadership', to: two } })
    bench.settle()
    for (let at = 0; at < 20; at++) {
      bench.replica(2).propose(`second ${at}`)
      bench.settle()
    }
    bench.heal().elapse(1000)
    expect(replica.noted('truncated')).toHaveLength(1)
    const whole = [...replica.disk]
    replica.stable(10)
    replica.stable(20)
    replica.stable(30)
    const cut = replica.released
    const { terms, persisted } = replica
    const all = [...whole, ...replica.disk.filter(({ sequence }) => sequence > whole.at(-1)!.sequence)]
    replica.crash()
    for (let from = 1; from <= cut; from++) {
      replica.disk = all.filter(({ sequence }) => sequence >= from)
      replica.start()
      expect(replica.status).toMatchObject({ decidedHeight: 30, view: 2 })
      expect(replica.terms).toEqual(terms)
      expect(replica.persisted).toBe(persisted)
      replica.crash()
    }
  })
})

describe('a follower that needs what the leader has cut', () => {
  /** Replica 3 has nothing; the others' logs begin behind 24. */
  function withLaggard(options: BenchOptions = {}, cutAt: number[] = [8, 16, 24, 32]): Bench {
    const bench = decided(40, options, [3])
    for (const height of cutAt) for (const id of [1, 2]) bench.replica(id).stable(height)
    return bench
  }

  it('is told to fetch a state, from the leader and from all others, once', () => {
    const bench = withLaggard()
    const before = bench.sent.length
    bench.heal().elapse(1000)
    const { fetched } = bench.replica(3)
    expect(fetched).toEqual([{ kind: 'state', minimumHeight: 24 }])
    expect(bench.replica(3).status.phase).toContain('fetches a state of height 24')
    // Offers come no faster than what is sent again.
    const offers = bench.sent.filter(kinds('offer'))
    expect(offers.length).toBeGreaterThan(1)
    expect(offers.length).toBeLessThanOrEqual(1 + 1000 / 250)
    expect(bench.sent.slice(before).filter(isTo(3)).filter(kinds('append')).length).toBeLessThan(5)
  })

  it('C21: also where the log is purged to its tip', () => {
    const bench = decided(16, {}, [3])
    for (const height of [8, 16]) for (const id of [1, 2]) bench.replica(id).stable(height)
    // The next cut is at the very end of the log: nothing is above the base.
    bench.replica(1).propose('tip')
    bench.settle()
    for (const id of [1, 2]) bench.replica(id).stable(17)
    for (const id of [1, 2]) bench.replica(id).crash()
    bench.network = []
    for (const id of [1, 2]) bench.replica(id).start()
    bench.replica(3).crash()
    bench.elect(1)
    for (const id of [1, 2]) bench.replica(id).stable(18)
    expect(bench.replica(1).log).toHaveLength(1)
    bench.heal().replica(3).start()
    bench.elapse(1000)
    expect(bench.replica(3).fetched).toEqual([{ kind: 'state', minimumHeight: 17 }])
    bench.replica(3).restore(17)
    bench.elapse(1000)
    expect(bench.replica(3).status.decidedHeight).toBe(bench.replica(1).status.decidedHeight)
  })

  it('C21: a learner too, that joins while the log is purged', () => {
    const bench = decided(40, { learners: 1 }, [4])
    for (const height of [8, 16, 24, 40]) for (const id of [1, 2, 3]) bench.replica(id).stable(height)
    bench.heal().elapse(1000)
    expect(bench.replica(4).fetched).toEqual([{ kind: 'state', minimumHeight: 24 }])
    bench.replica(4).restore(40)
    bench.replica(1).propose('new')
    bench.settle()
    bench.elapse(200)
    expect(bench.replica(4).texts).toEqual(['new'])
  })

  it('also where it has an entry of another term at the leader’s base', () => {
    const bench = new Bench().givenLog(3, [...logOf(1), entryOf(1, 2, 'stale'), entryOf(1, 3, 'stale')], 1)
    for (const id of [1, 2]) bench.givenLog(id, logOf(1), 1)
    bench.start().isolate(3).elect(1)
    for (let at = 0; at < 10; at++) {
      bench.replica(1).propose(`${at}`)
      bench.settle()
    }
    for (const height of [2, 8]) for (const id of [1, 2]) bench.replica(id).stable(height)
    bench.heal().elapse(1000)
    expect(bench.replica(3).fetched).toEqual([{ kind: 'state', minimumHeight: 2 }])
    bench.replica(3).restore(8)
    bench.settle()
    expect(bench.replica(3).terms).toEqual([2, 2, 2, 2])
  })

  it('goes on by entries as soon as it has the state, and needs no heartbeat for that', () => {
    const bench = withLaggard()
    bench.heal().elapse(1000)
    bench.replica(3).restore(32)
    bench.settle()
    expect(
      bench
        .replica(3)
        .decided.slice(1)
        .map(({ block }) => block.header.height),
    ).toEqual([33, 34, 35, 36, 37, 38, 39, 40])
    bench.replica(1).propose('new')
    bench.settle()
    expect(bench.replica(3).log.at(-1)?.block.header.height).toBe(41)
  })

  it('goes on when all that it said about it was lost', () => {
    const bench = withLaggard()
    bench.heal().elapse(1000)
    bench.replica(3).restore(32)
    bench.take()
    bench.elapse(1000)
    expect(bench.replica(3).status.decidedHeight).toBe(40)
  })

  it('goes on when it was restarted between the state and its own record of it', () => {
    const bench = withLaggard()
    bench.heal().elapse(1000)
    const replica = bench.replica(3)
    replica.autoSync = false
    replica.restore(32)
    replica.crash()
    expect(bases(replica)).toEqual([])
    replica.autoSync = true
    replica.start()
    expect(bases(replica)).toEqual([[32, true]])
    bench.elapse(1000)
    expect(replica.status.decidedHeight).toBe(40)
  })

  it('asks again when the leader has moved on meanwhile', () => {
    const bench = withLaggard()
    bench.heal().elapse(1000)
    bench.replica(3).step({
      kind: 'fetched',
      wanted: { kind: 'state', minimumHeight: 24 },
      from: two,
      result: { kind: 'failed', reason: 'gone' },
    })
    bench.elapse(1000)
    expect(bench.replica(3).fetched).toHaveLength(2)
  })

  it('keeps its leader from cutting more under its feet, as long as it answers', () => {
    const bench = withLaggard()
    bench.heal().elapse(1000)
    const first = (): number => bench.replica(1).log[0]!.block.header.height
    expect(first()).toBe(25)
    bench.replica(1).stable(36)
    bench.replica(1).stable(40)
    expect(first()).toBe(25)
    // It is gone: the next checkpoint cuts.
    bench.isolate(3).elapse(2 * electionTimeoutMs)
    bench.replica(1).propose('x')
    bench.settle()
    bench.replica(1).stable(41)
    expect(first()).toBe(41)
    expect(heldBackBytesMax).toBeLessThan(512 * 1024 * 1024)
  })

  it('is left what it has not got yet, as long as it answers', () => {
    const bench = decided(40)
    bench.isolate(3)
    for (let at = 0; at < 5; at++) {
      bench.replica(1).propose(`more ${at}`)
      bench.settle()
    }
    for (const height of [42, 44]) for (const id of [1, 2]) bench.replica(id).stable(height)
    expect(bases(bench.replica(1))).toEqual([])
    expect(bases(bench.replica(2))).toEqual([[42, false]])
    bench.heal().elapse(1000)
    expect(bench.replica(3).fetched).toEqual([])
    expect(bench.replica(3).status.decidedHeight).toBe(45)
    bench.replica(1).stable(45)
    expect(bases(bench.replica(1))).toEqual([[44, false]])
  })

  it('asks for no state any more when it has got there by entries', () => {
    const bench = withLaggard()
    bench.heal().elapse(1000)
    const replica = bench.replica(3)
    expect(replica.status.phase).toContain('fetches')
    // Another leads, and still has all of it.
    bench.replica(2).crash()
    bench.replica(2).disk = []
    const term = bench.replica(1).status.view + 1
    const log = [...bench.replica(3).log]
    for (let height = log.length + 1; height <= 40; height++) {
      const { block } = bench.checkpointOf(height)
      log.push({ term: 1, block: { header: block, payload: bench.payloadOf(height) } })
    }
    replica.receive(two, {
      kind: 'append',
      term,
      previousIndex: 1,
      previousTerm: 1,
      commit: 40,
      round: 1,
      entries: log.slice(1),
    })
    expect(replica.status).toMatchObject({ decidedHeight: 40, phase: 'follows replica 2' })
  })

  it('takes part in confirming reads and in the leader’s quorum while it fetches', () => {
    const bench = withLaggard()
    bench.heal().elapse(1000)
    bench.isolate(2)
    bench.replica(1).step({ kind: 'read', id: 1 })
    bench.settle()
    expect(bench.replica(1).reads).toEqual([{ id: 1, height: 40 }])
    bench.elapse(5 * electionTimeoutMs)
    expect(bench.leader?.id).toBe(1)
  })
})

describe('C36: a state that is installed while appends arrive', () => {
  /**
   * A follower gets a leader's messages in some order, some twice or not at all, and the state of some height at some point between
   * them. Whatever happens, it ends with the leader's log, and what it acknowledged is in it.
   */
  it('ends in the leader’s log, whatever the order', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const random = createRandom(seed)
      // The follower may have entries of an earlier term where the leader has others.
      const bench = new Bench({ seed })
      const stale = [...logOf(1, 1), entryOf(1, 3, 'stale 3'), entryOf(1, 4, 'stale 4'), entryOf(1, 5, 'stale 5')]
      bench.givenLog(3, stale.slice(0, random.below(6)), 1)
      for (const id of [1, 2]) bench.givenLog(id, logOf(1, 1), 1)
      bench.start()
      bench.cut(1, 3)
      bench.elect(1)
      for (let at = 0; at < 10; at++) bench.replica(1).propose(`${at}`)
      bench.settle(isTo(1))
      bench.settle((sent) => sent.to !== 3)
      bench.heal()
      const height = 1 + random.below(bench.replica(1).status.decidedHeight)
      const follower = bench.replica(3)
      // Whatever the leader may have on its way: probes, appends of any length, heartbeats.
      const log = bench.replica(1).log
      const messages: (RaftMessage | 'restore' | 'crash')[] = ['restore']
      for (let at = 0; at < 12; at++) messages.push(anyOf(log, random, bench.replica(1).status.view))
      if (random.below(3) === 0) messages.push('crash')
      for (let at = messages.length - 1; at > 0; at--) {
        const other = random.below(at + 1)
        ;[messages[at], messages[other]] = [messages[other]!, messages[at]!]
      }
      for (const message of messages) {
        if (message === 'restore') {
          if (height > follower.status.decidedHeight) follower.restore(height)
        } else if (message === 'crash') {
          follower.crash()
          follower.start()
        } else follower.receive(replicaId(1), message)
        checkAcknowledged(bench, follower)
      }
      bench.elapse(3000)
      expect(follower.status.decidedHeight, `seed ${seed}`).toBe(bench.leader!.status.decidedHeight)
      expect(follower.terms, `seed ${seed}`).toEqual(
        bench.leader!.terms.slice(bench.leader!.terms.length - follower.terms.length),
      )
    }
  })

  function anyOf(log: ReturnType<typeof logOf>, random: ReturnType<typeof createRandom>, term: number): RaftMessage {
    const previousIndex = random.below(log.length + 1)
    const previousTerm = log[previousIndex - 1]?.term ?? 0
    const commit = random.below(log.length + 1)
    const proven = { term, previousIndex, previousTerm, commit, round: 1 }
    if (random.below(4) === 0) return { kind: 'heartbeat', ...proven, commit: Math.min(commit, previousIndex) }
    return { kind: 'append', ...proven, entries: log.slice(previousIndex, previousIndex + random.below(6)) }
  }

  /** What it has told the leader to have, it has: on disk, or in the state. */
  function checkAcknowledged(bench: Bench, follower: Replica): void {
    const leaders = bench.replica(1).log
    const from = follower.checkpoint?.header.height ?? 0
    for (const { message } of bench.take((sent) => sent.from === 3)) {
      if (message.kind !== 'append-answer') continue
      const mine = new Map(follower.log.map((entry) => [entry.block.header.height, entry.term]))
      for (let index = from + 1; index <= message.matchIndex; index++)
        expect(mine.get(index)).toBe(leaders[index - 1]!.term)
    }
  }

  it('keeps what stands above where the log had that very entry, and writes nothing', () => {
    const bench = decided(20)
    const replica = bench.replica(3)
    bench.cut(1, 3)
    bench.replica(1).propose('a')
    bench.settle()
    const [last] = bench.replica(1).log.slice(-1)
    bench.heal()
    const message = { previousIndex: 20, previousTerm: 1, commit: 20, round: 1, entries: [last!] }
    replica.receive(replicaId(1), { kind: 'append', term: 1, ...message })
    const { persisted } = replica
    replica.restore(21)
    expect(replica.persisted).toBe(persisted)
    expect(replica.log).toHaveLength(21)
    expect(replica.status.decidedHeight).toBe(21)
  })

  it('takes away what stands above where the log had another entry, on disk too', () => {
    const stale = [...logOf(1), entryOf(1, 2, 'stale 2'), entryOf(1, 3, 'stale 3'), entryOf(1, 4, 'stale 4')]
    const bench = new Bench().givenLog(3, stale, 1)
    for (const id of [1, 2]) bench.givenLog(id, logOf(1), 1)
    bench.start().isolate(3)
    bench.elect(1)
    bench.replica(1).propose('a')
    bench.settle()
    bench.heal()
    const replica = bench.replica(3)
    replica.restore(2)
    expect(replica.log).toEqual([])
    expect(bases(replica)).toEqual([[2, true]])
    replica.crash()
    replica.start()
    expect(replica.log).toEqual([])
    expect(replica.status.decidedHeight).toBe(2)
    // Nor would it be elected by what it no longer has.
    bench.replica(2).receive(replicaId(3), { kind: 'vote-request', term: 9, preVote: true, lastIndex: 2, lastTerm: 2 })
    bench.elapse(1000)
    expect(replica.texts).toEqual(['a'])
  })

  it('makes a candidate stand back whose log it has taken away', () => {
    const stale = [...logOf(1), entryOf(1, 2, 'stale 2')]
    const bench = new Bench().givenLog(3, stale, 1)
    for (const id of [1, 2]) bench.givenLog(id, logOf(1), 1)
    bench.start().isolate(3)
    bench.elect(1)
    bench.replica(1).propose('a')
    bench.settle()
    const replica = bench.replica(3)
    for (let at = 0; at < 2; at++) replica.fireWhenDue('election')
    expect(replica.status.role).toBe('pre-candidate')
    replica.restore(2)
    expect(replica.status.role).toBe('follower')
  })

  it('answers what lies below its base with the base, and takes what lies above', () => {
    const bench = decided(20)
    const replica = bench.replica(3)
    const log = bench.replica(1).log
    replica.stable(8)
    replica.stable(16)
    bench.take()
    const proven = { term: 1, previousIndex: 2, previousTerm: 1, commit: 2, round: 7 }
    replica.receive(replicaId(1), { kind: 'append', ...proven, entries: log.slice(2, 5) })
    replica.receive(replicaId(1), { kind: 'heartbeat', ...proven })
    replica.receive(replicaId(1), { kind: 'append', ...proven, entries: log.slice(2, 12) })
    expect(bench.take().map(({ message }) => message)).toEqual([
      { kind: 'append-answer', term: 1, round: 7, matchIndex: 8 },
      { kind: 'heartbeat-answer', term: 1, round: 7, matchIndex: 8 },
      { kind: 'append-answer', term: 1, round: 7, matchIndex: 12 },
    ])
    expect(replica.terms).toHaveLength(12)
  })
})

it('checkpoints, cuts, crashes and states that are fetched, at random: nobody decides another block, and all end in agreement', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = createRandom(1000 + seed)
    const voters = seed % 3 === 0 ? 5 : 3
    const bench = new Bench({ seed, voters, learners: 1, segmentRecords: 1 + random.below(7) }).start()
    const renewed = new Set<number>()
    let proposed = 0
    for (let step = 0; step < 120; step++) {
      const replica = bench.replica(1 + random.below(voters + 1))
      const decidedHeight = replica.isUp ? replica.status.executedHeight : 0
      switch (random.below(9)) {
        case 0:
          bench.leader?.propose(`${seed}.${proposed++}`)
          break
        case 1:
        case 2:
          if (decidedHeight > (replica.checkpoint?.header.height ?? 0)) replica.stable(decidedHeight)
          break
        case 3:
          if (random.below(3) === 0) bench.isolate(replica.id)
          break
        case 4:
          bench.heal()
          break
        case 5:
          if (random.below(2) === 0 && replica.isUp) replica.crash()
          break
        case 6:
          for (const other of bench.replicas) if (!other.isUp) other.start()
          break
        case 7:
          transfer(bench, replica)
          break
        case 8:
          // Up to f voters lose their disks for good.
          if (random.below(4) === 0 && renewed.size < (voters - 1) / 2) renewed.add(replica.id)
          if (renewed.has(replica.id)) replica.renew()
      }
      bench.elapse(random.below(600), () => random.below(20) > 0)
      bench.take((sent) => random.below(10) === 0 && sent.from > 0)
    }
    bench.heal()
    for (const other of bench.replicas) if (!other.isUp) other.start()
    for (let round = 0; round < 12; round++) {
      bench.elapse(1000)
      for (const replica of bench.replicas) transfer(bench, replica)
    }
    bench.elapse(1000)
    const heights = bench.replicas.map((replica) => replica.status.decidedHeight)
    expect(new Set(heights).size, `seed ${seed}: ${heights.join()}`).toBe(1)
  }
})

/** Gives a replica what it has asked for, from whoever has it. */
function transfer(bench: Bench, replica: Replica): void {
  const wanted = replica.fetched.at(-1)
  if (!replica.isUp || wanted?.kind !== 'state') return
  const { decidedHeight } = replica.status
  const found = bench.replicas
    .map((other) => other.checkpoint?.header.height ?? 0)
    .filter((height) => height >= wanted.minimumHeight && height > decidedHeight)
  if (found.length > 0) replica.restore(Math.max(...found))
}
