// Sentences of PBFT (Castro and Liskov, TOCS'02, §4.2 and §4.3; the same in OSDI'99 §4.2 and §4.3), each with a test that fails without it.
// The view change (§4.4) is in pbft-paper-views.test.ts.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { quorum } from '../../../src/kernel/quorum.ts'
import { Bench, kinds, timeoutMs, type Sent } from './bench.ts'
import * as forge from './forging.ts'

const of = (id: number, kind: string) => (sent: Sent) => sent.from === id && sent.message.kind === kind

/** One correct replica, and as many signatures of the others as a test likes. */
function alone(voters: number, self: number): Bench {
  const bench = new Bench({ voters, parameters: { pbft: { windowBlocks: 8 } } })
  for (const { id } of bench.replicas) if (id !== self) bench.liars.add(id)
  bench.replica(self).start()
  return bench
}

describe('§4.2, a backup accepts a pre-prepare provided', () => {
  const cases: [string, (bench: Bench) => void][] = [
    [
      'the signature is correct',
      (bench) => {
        const right = forge.prePrepare(bench, 1, 0, forge.block(bench, 1, 'a'))
        bench.replica(2).receive(1, { ...right, signature: right.signature.map((byte) => byte ^ 1) })
      },
    ],
    [
      'the signature is over that very block',
      (bench) => {
        const { signature } = forge.prePrepare(bench, 1, 0, forge.block(bench, 1, 'a'))
        bench.replica(2).receive(1, { ...forge.prePrepare(bench, 1, 0, forge.block(bench, 1, 'b')), signature })
      },
    ],
    [
      'its payload is the one in the header',
      (bench) => {
        const { payload } = forge.block(bench, 1, 'b')
        bench.replica(2).receive(1, { ...forge.prePrepare(bench, 1, 0, forge.block(bench, 1, 'a')), payload })
      },
    ],
    [
      'it comes from the primary',
      (bench) => bench.replica(2).receive(3, forge.prePrepare(bench, 3, 0, forge.block(bench, 1, 'a'))),
    ],
    [
      'it is in its view',
      (bench) => bench.replica(2).receive(1, forge.prePrepare(bench, 1, 4, forge.block(bench, 1, 'a'))),
    ],
    [
      'n is above the low watermark',
      (bench) => bench.replica(2).receive(1, forge.prePrepare(bench, 1, 0, forge.block(bench, 0, 'a'))),
    ],
    [
      'n is not above the high watermark',
      (bench) => bench.replica(2).receive(1, forge.prePrepare(bench, 1, 0, forge.block(bench, 9, 'a'))),
    ],
    [
      'it is of this epoch (B45)',
      (bench) => {
        const right = forge.block(bench, 1, 'a')
        const header = { ...right.header, epoch: 2 }
        const other = { ...right, header, digest: forge.digestOf(header) }
        bench.replica(2).receive(1, forge.prePrepare(bench, 1, 0, other))
      },
    ],
    [
      'what is in it is valid (B8)',
      (bench) => {
        bench.replica(2).refuses = 'bad'
        bench.replica(2).receive(1, forge.prePrepare(bench, 1, 0, forge.block(bench, 1, 'bad')))
        expect(bench.replica(2).noted('invalid-payload')).toHaveLength(1)
      },
    ],
    [
      'its time lies near the clock (B28, R19)',
      (bench) => {
        const right = forge.block(bench, 1, 'a')
        for (const off of [-5001, 5001, 3_600_000]) {
          const header = { ...right.header, timestamp: right.header.timestamp + off }
          const digest = forge.digestOf(header)
          bench.replica(2).receive(1, forge.prePrepare(bench, 1, 0, { ...right, header, digest }))
        }
        expect(bench.replica(2).noted('clock-refused')).toHaveLength(3)
      },
    ],
  ]
  for (const [what, act] of cases) {
    it(what, () => {
      const bench = alone(4, 2)
      act(bench)
      expect(bench.take(kinds('prepare'))).toEqual([])
      // The right one is accepted afterwards.
      bench.replica(2).refuses = null
      bench
        .replica(2)
        .receive(1, forge.prePrepare(bench, 1, 0, forge.block(bench, what.includes('valid') ? 2 : 1, 'good')))
      expect(bench.take(kinds('prepare'))).toHaveLength(3)
    })
  }

  it('it has not accepted another one for the same view and number (B23)', () => {
    const bench = alone(4, 2)
    bench.replica(2).receive(1, forge.prePrepare(bench, 1, 0, forge.block(bench, 1, 'a')))
    expect(bench.take(kinds('prepare'))).toHaveLength(3)
    bench.replica(2).receive(1, forge.prePrepare(bench, 1, 0, forge.block(bench, 1, 'b')))
    expect(bench.take(kinds('prepare'))).toEqual([])
    expect(bench.replica(2).accused).toHaveLength(1)
    // It is the same after a restart.
    bench.replica(2).crash().start()
    bench.replica(2).receive(1, forge.prePrepare(bench, 1, 0, forge.block(bench, 1, 'b')))
    expect(bench.take(kinds('prepare'))).toEqual([])
  })
})

describe('§4.2, prepared(m, v, n, i)', () => {
  for (const n of [4, 5, 6, 7, 10]) {
    it(`needs the pre-prepare and prepares together from ${quorum('byzantine', n)} of ${n} (R4)`, () => {
      const bench = alone(n, 2)
      const replica = bench.replica(2)
      const block = forge.block(bench, 1, 'a')
      replica.receive(1, forge.prePrepare(bench, 1, 0, block))
      // The primary's prepare counts for nothing: its pre-prepare is it.
      replica.receive(1, forge.vote(bench, 1, 'prepare', 0, block))
      const needed = quorum('byzantine', n) - 2
      for (let voter = 3; voter < 3 + needed; voter++) {
        expect(bench.take(kinds('commit'))).toEqual([])
        // Twice the same one is one.
        for (let time = 0; time < 2; time++) replica.receive(voter, forge.vote(bench, voter, 'prepare', 0, block))
      }
      expect(bench.take(kinds('commit'))).toHaveLength(n - 1)
    })

    it(`is followed by committed-local with commits of ${quorum('byzantine', n)} of ${n}`, () => {
      const bench = alone(n, 2)
      const replica = bench.replica(2)
      const block = forge.block(bench, 1, 'a')
      replica.receive(1, forge.prePrepare(bench, 1, 0, block))
      const others = bench.replicas.map(({ id }) => Number(id)).filter((id) => id !== 2)
      for (const voter of others.slice(1)) replica.receive(voter, forge.vote(bench, voter, 'prepare', 0, block))
      for (const voter of others.slice(0, quorum('byzantine', n) - 1)) {
        expect(replica.decided).toEqual([])
        for (let time = 0; time < 2; time++) replica.receive(voter, forge.vote(bench, voter, 'commit', 0, block))
      }
      expect(replica.decided).toHaveLength(1)
    })
  }

  const wrong: [string, (bench: Bench, kind: 'prepare' | 'commit', voter: number) => void][] = [
    [
      'of another block',
      (bench, kind, voter) =>
        bench.replica(2).receive(voter, forge.vote(bench, voter, kind, 0, forge.block(bench, 1, 'b'))),
    ],
    [
      'of another view',
      (bench, kind, voter) =>
        bench.replica(2).receive(voter, forge.vote(bench, voter, kind, 1, forge.block(bench, 1, 'a'))),
    ],
    [
      'of another number',
      (bench, kind, voter) =>
        bench.replica(2).receive(voter, forge.vote(bench, voter, kind, 0, forge.block(bench, 2, 'a'))),
    ],
    [
      'with a wrong signature (R10)',
      (bench, kind, voter) => {
        const right = forge.vote(bench, voter, kind, 0, forge.block(bench, 1, 'a'))
        bench.replica(2).receive(voter, { ...right, signature: new Uint8Array(64) })
      },
    ],
    [
      'signed as one of the other phase (B45)',
      (bench, kind, voter) => {
        const other = forge.vote(bench, voter, kind === 'commit' ? 'prepare' : 'commit', 0, forge.block(bench, 1, 'a'))
        bench.replica(2).receive(voter, { ...other, kind })
      },
    ],
    [
      'signed by somebody else',
      (bench, kind, voter) =>
        bench.replica(2).receive(voter, forge.vote(bench, 1, kind, 0, forge.block(bench, 1, 'a'))),
    ],
  ]
  for (const kind of ['prepare', 'commit'] as const) {
    for (const [what, send] of wrong) {
      it(`counts no ${kind} ${what}`, () => {
        const bench = alone(4, 2)
        const replica = bench.replica(2)
        const block = forge.block(bench, 1, 'a')
        replica.receive(1, forge.prePrepare(bench, 1, 0, block))
        if (kind === 'commit') for (const id of [3, 4]) replica.receive(id, forge.vote(bench, id, 'prepare', 0, block))
        bench.take()
        send(bench, kind, 3)
        if (kind === 'commit') replica.receive(4, forge.vote(bench, 4, 'commit', 0, block))
        expect(kind === 'commit' ? replica.decided : bench.take(kinds('commit'))).toEqual([])
        // R10: what was dropped stands in nobody's way.
        if (kind === 'prepare') replica.receive(4, forge.vote(bench, 4, 'prepare', 0, block))
        else replica.receive(1, forge.vote(bench, 1, 'commit', 0, block))
        expect(kind === 'commit' ? replica.decided : bench.take(kinds('commit'))).not.toEqual([])
      })
    }
  }
})

describe('what is promised is on disk first (B22)', () => {
  it('the pre-prepare at the primary', () => {
    const bench = new Bench({ autoSync: false }).start()
    bench.replica(1).propose('a')
    expect(bench.network.filter(of(1, 'pre-prepare'))).toEqual([])
    bench.replica(1).sync()
    expect(bench.network.filter(of(1, 'pre-prepare'))).toHaveLength(3)
  })

  it('the proposal before the prepare, the certificate before the commit; no block waits for its decision', () => {
    const bench = new Bench({ autoSync: false }).start()
    const [primary, backup] = [bench.replica(1), bench.replica(2)]
    primary.propose('a')
    primary.sync()
    bench.deliver(of(1, 'pre-prepare'))
    expect(bench.network.filter(of(2, 'prepare'))).toEqual([])
    for (const id of [3, 4]) bench.replica(id).sync()
    // The prepares of others come: the certificate is complete, and not on disk.
    bench.deliver(kinds('prepare'))
    backup.sync(1)
    expect(bench.network.filter(of(2, 'prepare'))).toHaveLength(3)
    expect(bench.network.filter(of(2, 'commit'))).toEqual([])
    backup.sync(2)
    expect(bench.network.filter(of(2, 'commit'))).toHaveLength(3)
    for (const id of [1, 3, 4]) bench.replica(id).sync()
    bench.settle(kinds('prepare', 'commit'))
    for (const id of [1, 3, 4]) bench.replica(id).sync()
    bench.settle(kinds('prepare', 'commit'))
    expect(backup.texts).toEqual(['a'])
    expect(backup.disk.map(({ record }) => record.kind)).toEqual(['proposal', 'prepared', 'decided'])
    expect(backup.durable).toBe(2)
  })

  it('what all executed is decided again, where no disk has the decision and all lost power', () => {
    const bench = new Bench({ autoSync: false }).start()
    bench.replica(1).propose('a')
    for (const replica of bench.replicas) replica.sync()
    bench.settle(kinds('pre-prepare'))
    for (const replica of bench.replicas) replica.sync()
    bench.settle(kinds('prepare'))
    for (const replica of bench.replicas) replica.sync()
    bench.settle(kinds('commit'))
    for (const replica of bench.replicas) {
      expect(replica.texts).toEqual(['a'])
      replica.crash()
      expect(replica.disk.map(({ record }) => record.kind)).toEqual(['proposal', 'prepared'])
    }
    for (const replica of bench.replicas) {
      replica.autoSync = true
      replica.start()
    }
    for (const id of [2, 3, 4]) bench.replica(id).propose('b')
    bench.elapse(20 * timeoutMs)
    for (const replica of bench.replicas) expect(replica.texts.slice(0, 2)).toEqual(['a', 'b'])
  })
})

describe('§4.2, replicas execute in the order of sequence numbers', () => {
  it('whatever the order in which they are committed', () => {
    const bench = new Bench({ parameters: { batch: { lingerMs: 0, operationsMax: 1 } } }).start()
    bench.replica(1).propose('a', 'b', 'c')
    const isFirst = ({ message }: Sent): boolean => message.kind === 'commit' && message.height === 1
    bench.settle((sent) => !isFirst(sent))
    for (const replica of bench.replicas) expect(replica.decided).toEqual([])
    bench.settle()
    for (const replica of bench.replicas) expect(replica.texts).toEqual(['a', 'b', 'c'])
  })
})

describe('§4.3, the watermarks', () => {
  const window = { parameters: { pbft: { windowBlocks: 4 }, batch: { lingerMs: 0, operationsMax: 1 } } }

  it('end what the primary proposes at h + L, until a checkpoint is certified', () => {
    const bench = new Bench(window).start()
    bench.replica(1).propose(...'abcdef')
    bench.settle()
    for (const replica of bench.replicas) expect(replica.texts.join('')).toBe('abcd')
    for (const replica of bench.replicas) replica.certified(2)
    bench.settle()
    for (const replica of bench.replicas) expect(replica.texts.join('')).toBe('abcdef')
  })

  it('move no further than what is decided here', () => {
    const bench = new Bench(window).start()
    bench.isolate(4)
    bench.replica(1).propose(...'abcd')
    bench.settle()
    bench.heal()
    bench.replica(4).autoFetch = false
    bench.replica(4).certified(2)
    expect(bench.replica(4).noted('watermark')).toEqual([])
    expect(bench.replica(4).wanted.map(({ wanted }) => wanted.kind)).toEqual([])
    // Others say where the blocks are to be had.
    bench.replica(4).autoFetch = true
    bench.elapse(1500)
    expect(bench.replica(4).noted('watermark')).toHaveLength(1)
    expect(bench.replica(4).texts.join('')).toBe('abcd')
  })

  it('are in a view change with their proof, and what lies below is not', () => {
    const bench = new Bench(window).start()
    bench.replica(1).propose(...'abc')
    bench.settle()
    for (const replica of bench.replicas) replica.certified(2)
    bench.replica(2).propose('x')
    bench.elapse(1001, () => false)
    const asked = bench.network.find(of(2, 'view-change'))!.message
    if (asked.kind !== 'view-change') throw new Error()
    expect(asked.checkpoint?.header.height).toBe(2)
    expect(asked.prepared.map(({ header }) => header.height)).toEqual([3])
  })

  // Its checkpoints could not be read any more, and the log had been cut for them.
  it('leave a log that may begin between the payload of a block and its decision', () => {
    const bench = new Bench(window).start()
    bench.replica(1).propose('a')
    bench.settle()
    const one = bench.replica(2)
    const decision = one.disk.find(({ record }) => record.kind === 'decided')!
    one.crash()
    one.disk = one.disk.filter(({ sequence }) => sequence >= decision.sequence)
    one.start()
    expect(one.status.decidedHeight).toBe(0)
    bench.elapse(2_000)
    expect(one.texts.join('')).toBe('a')
  })

  it('survive a restart without a snapshot', () => {
    const bench = new Bench(window).start()
    bench.replica(1).propose(...'abcd')
    bench.settle()
    bench.replica(2).certified(2)
    bench.replica(2).crash().start()
    expect(bench.replica(2).texts.join('')).toBe('abcd')
    bench.liars.add(replicaId(1))
    bench.replica(2).receive(1, forge.prePrepare(bench, 1, 0, forge.block(bench, 2, 'z')))
    expect(bench.replica(2).accused).toEqual([])
    bench.replica(2).receive(1, forge.prePrepare(bench, 1, 0, forge.block(bench, 6, 'y')))
    expect(
      bench.sent.filter((sent) => of(2, 'prepare')(sent) && 'height' in sent.message && sent.message.height === 6),
    ).toHaveLength(3)
  })
})
