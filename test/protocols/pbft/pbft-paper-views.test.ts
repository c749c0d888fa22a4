// Sentences of PBFT on view changes (Castro and Liskov, TOCS'02, §4.4 and §4.5), each with a test that fails without it.

import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/wire/codec.ts'
import { replicaId, type View } from '../../../src/kernel/ids.ts'
import { pbftMessageCodec, type PreparedCertificate, type ViewChange } from '../../../src/protocols/pbft/messages.ts'
import { Bench, kinds, timeoutMs, type Replica, type Sent } from './bench.ts'
import * as forge from './forging.ts'

const of = (id: number, kind: string) => (sent: Sent) => sent.from === id && sent.message.kind === kind

/** One correct replica, and as many signatures of the others as a test likes. */
function alone(voters: number, self: number): Bench {
  const bench = new Bench({ voters, parameters: { pbft: { windowBlocks: 8 } } })
  for (const { id } of bench.replicas) if (id !== self) bench.liars.add(id)
  bench.replica(self).start()
  return bench
}

function judge(replica: Replica): void {
  while (replica.timers.has('judge')) replica.fire('judge')
}

/** Hands over the view changes, each from its sender, and the new view that cites them. */
function open(
  bench: Bench,
  to: number,
  view: View,
  changes: readonly ViewChange[],
  proposed: readonly forge.Forged[],
): void {
  const replica = bench.replica(to)
  const primary = (view % bench.replicas.length) + 1
  for (const change of changes) if (change.sender !== to) replica.receive(change.sender, change)
  replica.receive(primary, forge.newView(bench, primary, view, changes, proposed))
  for (const change of changes) if (change.sender !== to) replica.receive(primary, change)
  judge(replica)
}

describe('§4.4, VIEW-CHANGE', () => {
  it('has for each number the certificate of the highest view in which it was prepared', () => {
    const bench = new Bench().start()
    bench.replica(1).propose('a')
    bench.settle(kinds('pre-prepare', 'prepare'))
    bench.take()
    for (let view = 1; view <= 2; view++) {
      bench.elapse(
        8 * timeoutMs,
        ({ message }) => message.kind !== 'commit' && !(message.kind === 'view-change' && message.view > view),
      )
      bench.take()
      const asked = bench.sent.findLast(of(4, 'view-change'))!.message as ViewChange
      expect(asked.view).toBe(view + 1)
      expect(asked.prepared.map((one) => [one.header.height, one.view])).toEqual([[1, view]])
    }
  })

  it('is on disk before it is sent, and the same byte for byte when it is sent again, after a restart too', () => {
    const bench = new Bench({ autoSync: false }).start()
    const replica = bench.replica(2)
    replica.propose('a')
    bench.elapse(timeoutMs + 1)
    expect(bench.sent.filter(of(2, 'view-change'))).toEqual([])
    replica.sync()
    bench.elapse(2000)
    replica.crash().start()
    bench.elapse(2000)
    const bytes = bench.sent.filter(of(2, 'view-change')).map(({ message }) => encode(pbftMessageCodec, message).join())
    expect(bytes.length).toBeGreaterThan(6)
    expect(new Set(bytes).size).toBe(1)
  })

  it('stops its sender from taking part in the view that it leaves, whatever comes (B9)', () => {
    for (const isRestarted of [false, true]) {
      const bench = alone(4, 2)
      const replica = bench.replica(2)
      const [first, second] = [forge.block(bench, 1, 'a'), forge.block(bench, 2, 'b')]
      replica.receive(1, forge.prePrepare(bench, 1, 0, first))
      bench.elapse(timeoutMs + 1, () => false)
      expect(bench.take(of(2, 'view-change')).length).toBeGreaterThan(0)
      if (isRestarted) replica.crash().start()
      bench.take()
      replica.receive(1, forge.prePrepare(bench, 1, 0, second))
      for (const kind of ['prepare', 'commit'] as const) {
        for (const id of [3, 4]) replica.receive(id, forge.vote(bench, id, kind, 0, first))
      }
      replica.receive(1, forge.vote(bench, 1, 'commit', 0, first))
      expect(bench.take(kinds('prepare', 'commit'))).toEqual([])
    }
  })
})

describe('§4.4, NEW-VIEW: every backup works out what is proposed again', () => {
  function enters(
    changes: (bench: Bench) => ViewChange[],
    proposed: (bench: Bench) => forge.Forged[],
    view = 1,
  ): Bench {
    const bench = alone(4, 3)
    open(bench, 3, view, changes(bench), proposed(bench))
    return bench
  }

  function proposedAgain(bench: Bench): string[] {
    return bench.take(kinds('prepare')).flatMap(({ to, message }) => {
      if (to !== 1 || message.kind !== 'prepare') return []
      return [`${message.height} ${message.digest.join('').slice(0, 12)}`]
    })
  }

  const named = ({ header, digest }: forge.Forged): string => `${header.height} ${digest.join('').slice(0, 12)}`
  const plain = (bench: Bench, ...senders: number[]): ViewChange[] =>
    senders.map((id) => forge.viewChange(bench, id, 1))

  it('nothing where nothing is prepared', () => {
    const bench = enters(
      (on) => plain(on, 1, 2, 4),
      () => [],
    )
    expect(bench.replica(3).status.view).toBe(1)
    expect(proposedAgain(bench)).toEqual([])
  })

  it('what one of them has prepared (B3), and null blocks in the gaps (R5)', () => {
    const bench = alone(4, 3)
    const third = forge.block(bench, 3, 'c')
    bench.replica(3).receive(1, forge.prePrepare(bench, 1, 0, third))
    bench.take()
    const prepared = [forge.certificate(bench, 0, third, 1, [2, 4])]
    const changes = [...plain(bench, 1, 2), forge.viewChange(bench, 4, 1, { prepared })]
    open(bench, 3, 1, changes, [forge.nullBlock(1), forge.nullBlock(2), third])
    expect(proposedAgain(bench)).toEqual([forge.nullBlock(1), forge.nullBlock(2), third].map(named))
  })

  it('of two certificates for one number the one of the higher view', () => {
    for (const isFirst of [true, false]) {
      const bench = alone(4, 3)
      const [old, young] = [forge.block(bench, 1, 'old'), forge.block(bench, 1, 'young')]
      const ofOld = [forge.certificate(bench, 0, old, 1, [2, 4])]
      const ofYoung = [forge.certificate(bench, 1, young, 2, [1, 4])]
      const [one, other] = isFirst ? [ofOld, ofYoung] : [ofYoung, ofOld]
      const changes = [
        forge.viewChange(bench, 1, 5, { prepared: one }),
        forge.viewChange(bench, 2, 5, { prepared: other }),
        forge.viewChange(bench, 4, 5),
      ]
      open(bench, 3, 5, changes, [old])
      expect(bench.replica(3).status.leader).not.toBe(2)
      open(
        bench,
        3,
        9,
        changes.map(({ sender, prepared }) => forge.viewChange(bench, sender, 9, { prepared })),
        [young],
      )
      expect(bench.replica(3).status).toMatchObject({ view: 9, leader: 2 })
    }
  })

  it('nothing at or below the highest checkpoint that one of them proves (B1)', () => {
    const bench = new Bench().start()
    bench.liars.add(replicaId(2))
    bench.replica(1).propose('a')
    bench.settle()
    const [first, second] = [bench.replica(3).decided[0]!.block, forge.block(bench, 2, 'b')]
    const prepared = [forge.certificate(bench, 0, { ...first, digest: forge.digestOf(first.header) }, 1, [2, 4])]
    const next = [forge.certificate(bench, 0, second, 1, [2, 4])]
    const changes = [
      forge.viewChange(bench, 1, 1, { prepared: [...prepared, ...next] }),
      forge.viewChange(bench, 2, 1, { checkpoint: bench.checkpointOf(1) }),
      forge.viewChange(bench, 4, 1, { prepared }),
    ]
    open(bench, 3, 1, changes, [second])
    expect(bench.replica(3).status).toMatchObject({ view: 1, leader: 2 })
  })

  type Claims = (bench: Bench) => Partial<ViewChange>
  const good = (bench: Bench): PreparedCertificate => forge.certificate(bench, 0, forge.block(bench, 1, 'a'), 1, [2, 4])
  const unproven: [string, Claims][] = [
    [
      'a wrong prepare (B7)',
      (bench) => ({
        prepared: [
          forge.withPrepares(good(bench), [good(bench).prepares[0]!, ...forge.wrong(good(bench).prepares.slice(1))]),
        ],
      }),
    ],
    ['a wrong pre-prepare (B7)', (bench) => ({ prepared: [{ ...good(bench), signature: new Uint8Array(64) }] })],
    [
      'a header that was not prepared (B7)',
      (bench) => ({ prepared: [{ ...good(bench), header: forge.block(bench, 1, 'z').header }] }),
    ],
    ['another view than was prepared in (B7)', (bench) => ({ view: 5, prepared: [{ ...good(bench), view: 4 }] })],
    [
      'a prepare of the primary (R4)',
      (bench) => ({ prepared: [forge.certificate(bench, 0, forge.block(bench, 1, 'a'), 1, [1, 2])] }),
    ],
    [
      'too few prepares (R4)',
      (bench) => ({ prepared: [forge.certificate(bench, 0, forge.block(bench, 1, 'a'), 1, [2])] }),
    ],
    [
      'a height beyond its window (B25)',
      (bench) => ({ prepared: [forge.certificate(bench, 0, forge.block(bench, 9, 'a'), 1, [2, 4])] }),
    ],
    [
      'the height 0 (B25)',
      (bench) => ({ prepared: [forge.certificate(bench, 0, forge.block(bench, 0, 'a'), 1, [2, 4])] }),
    ],
    [
      'a view that it has not left',
      (bench) => ({ prepared: [forge.certificate(bench, 1, forge.block(bench, 1, 'a'), 2, [1, 4])] }),
    ],
  ]
  for (const [what, claims] of unproven) {
    it(`which is refused with ${what}`, () => {
      const bench = alone(4, 3)
      const claim = claims(bench)
      const view = claim.view ?? 1
      const changes = [
        forge.viewChange(bench, 1, view, claim),
        ...[2, 4].map((id) => forge.viewChange(bench, id, view)),
      ]
      const headers = new Map((claim.prepared ?? []).map(({ header }) => [header.height, header]))
      // What would follow if it were proven.
      const proposed = Array.from({ length: Math.max(0, ...headers.keys()) }, (_, index) => {
        const header = headers.get(index + 1)
        return header === undefined ? forge.nullBlock(index + 1) : forge.ofHeader(header)
      })
      open(bench, 3, view, changes, proposed)
      expect(bench.replica(3).noted('new-view-refused')).toHaveLength(1)
      expect(bench.replica(3).noted('view-entered')).toEqual([])
    })
  }

  it('which is refused with other pre-prepares than follow', () => {
    for (const wrong of ['none', 'another', 'one too many', 'null']) {
      const bench = alone(4, 3)
      const block = forge.block(bench, 1, 'a')
      const prepared = [forge.certificate(bench, 0, block, 1, [2, 4])]
      const changes = [forge.viewChange(bench, 1, 1, { prepared }), ...plain(bench, 2, 4)]
      const proposed = {
        none: [],
        another: [forge.block(bench, 1, 'z')],
        'one too many': [block, forge.block(bench, 2, 'z')],
        null: [forge.nullBlock(1)],
      }[wrong]!
      open(bench, 3, 1, changes, proposed)
      expect(bench.replica(3).noted('new-view-refused'), wrong).toHaveLength(1)
      expect(bench.replica(3).noted('view-entered'), wrong).toEqual([])
    }
  })

  it('which needs a quorum of view changes of distinct replicas (B4), all of them to this view', () => {
    const few = alone(4, 3)
    open(few, 3, 1, plain(few, 1, 4), [])
    expect(few.replica(3).noted('view-entered')).toEqual([])
    const bench = alone(4, 3)
    // Sets of signers and of citations rise by sender: what has one twice is no message at all.
    expect(() => forge.newView(bench, 2, 1, plain(bench, 4, 4, 1))).toThrow('does not rise')
    const block = forge.block(bench, 1, 'a')
    const prepared = [forge.certificate(bench, 0, block, 1, [2, 2])]
    expect(() => forge.viewChange(bench, 1, 1, { prepared })).toThrow('does not rise')
    open(bench, 3, 5, [forge.viewChange(bench, 1, 5), forge.viewChange(bench, 2, 5), forge.viewChange(bench, 4, 1)], [])
    expect(bench.replica(3).noted('view-entered')).toEqual([])
  })

  it('which only the primary of its view can make', () => {
    const bench = alone(4, 3)
    const changes = plain(bench, 1, 2, 4)
    const forged = forge.newView(bench, 4, 1, changes)
    for (const change of changes) bench.replica(3).receive(change.sender, change)
    bench.replica(3).receive(4, forged)
    bench.replica(3).receive(2, forged)
    judge(bench.replica(3))
    expect(bench.replica(3).noted('view-entered')).toEqual([])
  })

  it('which is on disk, with all that it cites, before anything is said in its view (B33)', () => {
    const bench = new Bench().start()
    bench.replica(1).propose('a')
    bench.settle(kinds('pre-prepare', 'prepare'))
    bench.take()
    bench.replica(1).crash()
    for (const id of [2, 3, 4]) bench.replica(id).autoSync = false
    for (const id of [2, 3, 4]) bench.replica(id).propose('b')
    bench.elapse(timeoutMs + 1, () => false)
    bench.take()
    for (const id of [2, 3, 4]) bench.replica(id).sync()
    bench.deliver(kinds('view-change'))
    judge(bench.replica(2))
    bench.replica(2).step({ kind: 'requests' })
    expect(bench.replica(2).noted('new-view-made')).toHaveLength(1)
    expect(bench.network.filter(of(2, 'new-view'))).toEqual([])
    for (let time = 0; time < 3; time++) bench.replica(2).sync()
    bench.deliver(kinds('new-view', 'view-change'))
    judge(bench.replica(3))
    expect(bench.replica(3).status.leader).toBe(2)
    expect(bench.network.filter(of(3, 'prepare'))).toEqual([])
    bench.replica(3).sync()
    expect(bench.network.filter(of(3, 'prepare')).length).toBeGreaterThan(0)
    const records = bench.replica(3).disk.map(({ record }) => record.kind)
    expect(records.lastIndexOf('view-change')).toBeLessThan(records.indexOf('new-view'))
    // Between lock and re-proposal: it knows both after a restart.
    bench.replica(3).crash().start()
    expect(bench.replica(3).status).toMatchObject({ view: 1, leader: 2 })
    for (const id of [2, 3, 4]) bench.replica(id).autoSync = true
    for (const id of [2, 3, 4]) bench.replica(id).sync()
    bench.elapse(10 * timeoutMs)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts.slice(0, 1)).toEqual(['a'])
  })
})

describe('§4.5.2, liveness', () => {
  it('f+1 view changes for later views are joined, and f are not (B5)', () => {
    for (const n of [4, 5, 6, 7, 10]) {
      const faults = Math.floor((n - 1) / 3)
      const bench = alone(n, 2)
      const replica = bench.replica(2)
      const others = bench.replicas.map(({ id }) => Number(id)).filter((id) => id !== 2)
      for (const id of others.slice(0, faults)) replica.receive(id, forge.viewChange(bench, id, 2 ** 40 + id))
      expect(replica.status.view).toBe(0)
      expect(replica.status.leader).toBe(1)
      replica.receive(others[faults]!, forge.viewChange(bench, others[faults]!, 3))
      expect(replica.status.view).toBe(3)
    }
  })

  it('the wait for a new view begins with a quorum, doubles with each that fails, and stays in its bounds (B6)', () => {
    const bench = alone(7, 7)
    const replica = bench.replica(7)
    let before = 0
    const waits: number[] = []
    for (const base of [7, 7 * 2 ** 28, 7 * 2 ** 46]) {
      for (let view = base; view < base + 6; view++) {
        for (const id of [1, 2, 3, 4]) replica.receive(id, forge.viewChange(bench, id, view))
        judge(replica)
        expect(replica.status.view).toBe(view)
        const due = replica.timers.get('new-view')
        expect(due).toBeDefined()
        waits.push(due! - bench.nowMs)
        expect(due! - bench.nowMs).toBeGreaterThanOrEqual(before)
        before = due! - bench.nowMs
      }
    }
    expect(waits.slice(0, 6)).toEqual([2000, 4000, 8000, 16_000, 20_000, 20_000])
    expect(Math.max(...waits)).toBe(20_000)
    // One view for one wait, and then it waits for the others.
    const { view } = replica.status
    bench.elapse(19_999, () => false)
    expect(replica.status.view).toBe(view)
    bench.elapse(100_000, () => false)
    expect(replica.status.view).toBe(view + 1)
  })

  it('no wait begins with fewer than a quorum', () => {
    const bench = alone(4, 2)
    bench.replica(2).receive(1, forge.viewChange(bench, 1, 1))
    bench.replica(2).propose('a')
    bench.elapse(timeoutMs + 1)
    expect(bench.replica(2).status).toMatchObject({ view: 1, leader: null })
    bench.elapse(100 * timeoutMs)
    expect(bench.replica(2).status.view).toBe(1)
  })

  it('a block that is committed makes the wait short again', () => {
    const bench = new Bench().start()
    bench.replica(1).crash()
    bench.replica(2).crash()
    for (const id of [3, 4]) bench.replica(id).propose('a')
    bench.elapse(30 * timeoutMs)
    bench.replica(2).start()
    bench.elapse(60 * timeoutMs)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toEqual(['a'])
    const { view } = bench.replica(3).status
    const primary = bench.replica(bench.replica(3).status.leader!)
    bench.isolate(primary.id)
    for (const id of [3, 4]) bench.replica(id).propose('b')
    bench.elapse(timeoutMs + 1)
    for (const id of [3, 4]) if (id !== primary.id) expect(bench.replica(id).status.view).toBe(view + 1)
  })

  it('a quorum of view changes for no view below the one asked for lets anybody back (R12)', () => {
    const bench = alone(4, 3)
    const replica = bench.replica(3)
    for (const id of [1, 2]) replica.receive(id, forge.viewChange(bench, id, 8))
    expect(replica.status.view).toBe(8)
    const changes = [1, 2, 4].map((id) => forge.viewChange(bench, id, 5))
    open(bench, 3, 5, changes, [])
    expect(replica.status).toMatchObject({ view: 8, leader: null })
  })
})
