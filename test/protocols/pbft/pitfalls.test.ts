// What has gone wrong elsewhere, line by line (the B- and R-numbers are those of the house), as far as a group of cores can show it.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { slotStage } from '../../../src/protocols/pbft/messages.ts'
import { Bench, kinds, timeoutMs, type Sent } from './bench.ts'
import * as forge from './forging.ts'

const of = (id: number, kind: string) => (sent: Sent) => sent.from === id && sent.message.kind === kind
const small = { batch: { lingerMs: 0, operationsMax: 1 }, pbft: { windowBlocks: 8 } }

function allDecide(bench: Bench, text: string): void {
  for (const replica of bench.replicas) if (replica.isUp) expect(replica.texts, `replica ${replica.id}`).toContain(text)
}

describe('view changes', () => {
  it('install a view while replicas stand at different checkpoints (B1)', () => {
    const bench = new Bench({ parameters: small }).start()
    for (const text of 'abcd') {
      bench.replica(1).propose(text)
      bench.settle()
    }
    bench.replica(2).certified(2)
    bench.replica(3).certified(4)
    bench.replica(1).crash()
    for (const id of [2, 3, 4]) bench.replica(id).propose('e')
    bench.elapse(5 * timeoutMs)
    allDecide(bench, 'e')
    for (const id of [2, 3, 4]) expect(bench.replica(id).status.view).toBe(1)
  })

  it('keep a block that one replica has committed and the others have only prepared (B3)', () => {
    for (const n of [4, 5, 6, 7]) {
      const bench = new Bench({ voters: n }).start()
      bench.replica(1).propose('a')
      bench.settle((sent) => sent.message.kind !== 'commit' || sent.to === 3)
      bench.take()
      expect(bench.replica(3).texts).toEqual(['a'])
      // Neither the primary nor the one who has committed is heard.
      bench.isolate(1)
      if (n === 7) bench.isolate(3)
      for (let id = 2; id <= n; id++) bench.replica(id).propose('b')
      bench.elapse(20 * timeoutMs)
      // The bench itself sees to it that nobody decides anything else at that height.
      for (let id = 2; id <= n; id++) if (n < 7 || id !== 3) expect(bench.replica(id).texts[0]).toBe('a')
    }
  })

  it('end when the commits of one view reach somebody who has asked for the next (B9, R12)', () => {
    const bench = new Bench().start()
    bench.replica(1).propose('a')
    bench.settle(kinds('pre-prepare', 'prepare'))
    const commits = bench.take()
    bench.replica(4).propose('b')
    bench.elapse(timeoutMs + 1, () => false)
    bench.take()
    for (const id of [2, 3, 4]) expect(bench.replica(id).status.view).toBe(1)
    bench.network.push(...commits)
    bench.settle(kinds('commit'))
    for (const id of [2, 3, 4]) expect(bench.replica(id).decided).toEqual([])
    bench.elapse(5 * timeoutMs)
    allDecide(bench, 'a')
  })

  it('go on after each replica in turn was cut off (B43), and views stay few', () => {
    const bench = new Bench({ parameters: { batch: { lingerMs: 0 } } }).start()
    for (let round = 0; round < 8; round++) {
      bench.isolate((round % 4) + 1)
      for (const replica of bench.replicas) replica.propose(`r${round}`)
      bench.elapse(10 * timeoutMs)
      bench.heal()
      bench.elapse(5 * timeoutMs)
      allDecide(bench, `r${round}`)
    }
    for (const replica of bench.replicas) expect(replica.status.view).toBeLessThan(12)
  })
})

describe('a replica that asks for a view in which nobody follows', () => {
  it('executes what the others decide, and votes in no view below (B10, R12)', () => {
    const bench = new Bench({ parameters: { batch: { lingerMs: 0 } } }).start()
    const lone = bench.replica(4)
    bench.isolate(4)
    lone.propose('only here')
    bench.elapse(timeoutMs + 1)
    expect(lone.status.view).toBe(1)
    bench.heal()
    bench.sent.length = 0
    for (let block = 0; block < 20; block++) {
      bench.replica(1).propose(`b${block}`)
      bench.elapse(100)
    }
    bench.elapse(2 * timeoutMs)
    expect(lone.texts.filter((text) => text.startsWith('b'))).toHaveLength(20)
    expect(lone.status.view).toBe(1)
    const below = bench.sent.filter(
      ({ from, message }) =>
        from === 4 && (message.kind === 'prepare' || message.kind === 'commit') && message.view < 1,
    )
    expect(below).toEqual([])
    // The next view lets it in, and it votes again.
    bench.replica(1).crash()
    for (const id of [2, 3, 4]) bench.replica(id).propose('c')
    bench.elapse(10 * timeoutMs)
    allDecide(bench, 'c')
    expect(bench.sent.some((sent) => of(4, 'commit')(sent))).toBe(true)
  })
})

describe('wishes (B16)', () => {
  it('move nobody until one correct replica is among them, and their senders vote on', () => {
    for (const n of [4, 7]) {
      const bench = new Bench({ voters: n }).start()
      const faults = (n - 1) / 3
      for (let id = 2; id < 2 + faults; id++)
        bench.replica(id).step({ kind: 'command', command: { kind: 'suspect-leader' } })
      bench.settle()
      bench.replica(1).propose('a')
      bench.settle()
      for (const replica of bench.replicas) expect(replica.texts).toEqual(['a'])
      for (const replica of bench.replicas) expect(replica.status.view).toBe(0)
      bench.replica(2 + faults).step({ kind: 'command', command: { kind: 'suspect-leader' } })
      bench.elapse(timeoutMs)
      for (const replica of bench.replicas) expect(replica.status.view).toBe(1)
    }
  })

  it('count once for each replica, for its own view, and with its own signature (B45)', () => {
    const bench = new Bench().start()
    for (const id of [3, 4]) bench.liars.add(replicaId(id))
    const replica = bench.replica(2)
    const right = forge.wish(bench, 3, 0)
    for (let time = 0; time < 3; time++) replica.receive(3, right)
    replica.receive(4, right)
    replica.receive(4, forge.wish(bench, 4, 1))
    replica.receive(4, { ...forge.wish(bench, 4, 1), view: 0 })
    expect(replica.status.view).toBe(0)
    replica.receive(4, forge.wish(bench, 4, 0))
    expect(replica.status.view).toBe(1)
  })

  it('replace a primary who lets one request wait and decides now and then', () => {
    const bench = new Bench({ parameters: { batch: { lingerMs: 0, operationsMax: 1 } } }).start()
    for (const id of [2, 3, 4]) bench.replica(id).propose('old')
    for (let time = 0; time < 60 && bench.replica(2).status.view === 0; time++) {
      bench.replica(1).propose(`new ${time}`)
      bench.elapse(500)
    }
    bench.elapse(10 * timeoutMs)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toContain('old')
    expect(bench.replica(2).status.view).toBeGreaterThan(0)
  })
})

describe('what is fast or wrong at one replica', () => {
  it('a slow application is no bad primary (R20)', () => {
    const bench = new Bench({
      parameters: { ...small, pbft: { windowBlocks: 16 }, flow: { executionLagBlocksMax: 4, pipelineBlocksMax: 4 } },
    }).start()
    for (const replica of bench.replicas) replica.autoExecute = false
    for (const replica of bench.replicas) replica.propose(...'abcdefgh')
    bench.elapse(60 * timeoutMs)
    for (const replica of bench.replicas) expect(replica.status.view).toBe(0)
    expect(bench.replica(2).decided).toHaveLength(4)
    for (const replica of bench.replicas) replica.autoExecute = true
    for (const replica of bench.replicas) replica.execute()
    bench.elapse(timeoutMs)
    for (const replica of bench.replicas) expect(replica.texts.join('')).toBe('abcdefgh')
  })

  it('a read waits for whatever it has sent a commit for, in whatever life (R3)', () => {
    const bench = new Bench().start()
    bench.replica(1).propose('a')
    bench.settle(kinds('pre-prepare', 'prepare'))
    const replica = bench.replica(2)
    for (const isRestarted of [false, true]) {
      if (isRestarted) replica.crash().start()
      replica.step({ kind: 'read', id: 7 })
      expect(replica.reads.at(-1)).toEqual({ id: 7, height: 1 })
    }
    expect(replica.decided).toEqual([])
  })

  it('a read is refused where nobody counts its answers', () => {
    const bench = new Bench({ learners: 1 }).start()
    bench.replica(5).step({ kind: 'read', id: 1 })
    bench.replica(4).abstains = true
    bench.replica(4).crash().start()
    bench.replica(4).step({ kind: 'read', id: 2 })
    expect(bench.replica(5).failedReads).toEqual([1])
    expect(bench.replica(4).failedReads).toEqual([2])
  })

  it('whoever has lost what it promised says nothing more, and follows', () => {
    const bench = new Bench().start()
    const replica = bench.replica(4)
    replica.crash()
    replica.disk = []
    replica.durable = 0
    replica.abstains = true
    bench.sent.length = 0
    replica.start()
    bench.replica(1).propose('a')
    bench.settle()
    replica.propose('b')
    replica.step({ kind: 'command', command: { kind: 'suspect-leader' } })
    for (const id of [2, 3]) bench.replica(id).step({ kind: 'command', command: { kind: 'suspect-leader' } })
    bench.elapse(10 * timeoutMs)
    expect(replica.texts).toContain('a')
    expect(replica.status.view).toBe(1)
    expect(new Set(bench.sent.filter(({ from }) => from === 4).map(({ message }) => message.kind))).toEqual(
      new Set(['status']),
    )
  })

  it('no index and no length out of range stops anybody (B25)', () => {
    const bench = new Bench({ parameters: small }).start()
    bench.liars.add(replicaId(1))
    const replica = bench.replica(2)
    const numbers = [0, 1, 8, 9, 2 ** 32, 2 ** 49]
    for (const height of numbers) {
      for (const view of [0, 1, 2 ** 49]) {
        const block = forge.block(bench, height, 'a')
        expect(() => {
          replica.receive(1, forge.prePrepare(bench, 1, view, block))
          for (const kind of ['prepare', 'commit'] as const) replica.receive(1, forge.vote(bench, 1, kind, view, block))
          for (const stages of [[], [slotStage.nothing], Array.from({ length: 1024 }, () => slotStage.committed)]) {
            replica.receive(1, {
              kind: 'status',
              view,
              active: true,
              decidedHeight: height,
              servesFrom: height,
              stages,
              asks: true,
            })
          }
          replica.receive(1, { kind: 'ask-view-changes', view, senders: [replicaId(128)] })
          replica.receive(
            1,
            forge.viewChange(bench, 1, view, { prepared: [forge.certificate(bench, view, block, 1, [])] }),
          )
          replica.receive(1, forge.newView(bench, 1, view, [forge.viewChange(bench, 1, view)], [block]))
          bench.settle()
        }).not.toThrow()
      }
    }
    for (const id of [2, 3, 4]) bench.replica(id).propose('b')
    bench.elapse(20 * timeoutMs)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toContain('b')
  })
})

describe('a liar who serves', () => {
  it('claims heights that do not exist, and everybody goes on (B24)', () => {
    const bench = new Bench().start()
    bench.liars.add(replicaId(3))
    bench.replica(3).crash()
    const claim = { view: 2 ** 40, active: true, decidedHeight: 2 ** 40, servesFrom: 1, stages: [], asks: false }
    for (let round = 0; round < 10; round++) {
      for (const id of [1, 2, 4]) bench.replica(id).receive(3, { kind: 'status', ...claim })
      bench.replica(1).propose(`r${round}`)
      bench.elapse(300)
    }
    for (const id of [1, 2, 4]) expect(bench.replica(id).texts).toHaveLength(10)
    for (const id of [1, 2, 4]) expect(bench.replica(id).status.view).toBe(0)
    for (const id of [1, 2, 4]) expect(bench.replica(id).wanted).toEqual([])
  })
})
