// Rules whose loss no other test noticed.

import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import { replicaId } from '../../../src/kernel/ids.ts'
import { Bench, kinds } from './bench.ts'
import * as forge from './forging.ts'
import { payloadOf } from '../raft/test-pool.ts'

it('the first vote of an equivocator counts, the second is evidence (B23)', () => {
  const bench = new Bench().start()
  bench.liars.add(replicaId(3))
  const replica = bench.replica(2)
  bench.isolate(2)
  const [a, b] = [forge.block(bench, 1, 'a'), forge.block(bench, 1, 'b')]
  // Before the proposal, so that nothing has come of the first when the second is there.
  replica.receive(3, forge.vote(bench, 3, 'prepare', 0, a))
  replica.receive(3, forge.vote(bench, 3, 'prepare', 0, b))
  expect(replica.accused).toHaveLength(1)
  replica.receive(1, forge.prePrepare(bench, 1, 0, a))
  const certificates = replica.disk.flatMap(({ record }) => (record.kind === 'prepared' ? [record.certificate] : []))
  expect(certificates.map(({ prepares }) => prepares.map((prepare) => prepare.replica))).toEqual([[2, 3]])
})

/** One that nobody has signed. */
function falseCheckpoint(bench: Bench): Checkpoint {
  const { header: block, digest } = forge.block(bench, 64, 'z')
  const zeros = new Uint8Array(32)
  const signatures = [1, 2, 4].map((replica) => ({ replica: replicaId(replica), signature: new Uint8Array(64) }))
  const { timestamp: time } = block
  return {
    header: { epoch: 1, height: 64, parent: zeros, blockDigest: digest, resultsRoot: zeros, stateRoot: zeros, time },
    signatures,
    block,
    proof: { kind: 'pbft', view: 0, blockDigest: digest, commits: signatures },
  }
}

describe('a new view that begins from a checkpoint which nobody has signed', () => {
  function offered(): { bench: Bench; offer: () => void } {
    const bench = new Bench().start()
    bench.liars.add(replicaId(2))
    bench.isolate(3)
    const replica = bench.replica(3)
    const cited = [
      forge.viewChange(bench, 1, 1),
      forge.viewChange(bench, 2, 1, { checkpoint: falseCheckpoint(bench) }),
      forge.viewChange(bench, 4, 1),
    ]
    const newView = forge.newView(bench, 2, 1, cited)
    const offer = (): void => {
      for (const viewChange of cited) replica.receive(viewChange.sender, viewChange)
      replica.receive(2, newView)
      for (const viewChange of cited) replica.receive(2, viewChange)
    }
    return { bench, offer }
  }

  it('is refused', () => {
    const { bench, offer } = offered()
    offer()
    const replica = bench.replica(3)
    expect(replica.noted('new-view-refused')).toHaveLength(1)
    expect(replica.noted('view-entered')).toEqual([])
  })

  it('costs nothing when it comes again', () => {
    const { bench, offer } = offered()
    offer()
    const { signatures } = bench.replica(3)
    const before = signatures.checked
    bench.replica(3).receive(
      2,
      forge.newView(
        bench,
        2,
        1,
        [1, 2, 4].map((sender) => forge.viewChange(bench, sender, 1)),
      ),
    )
    expect(signatures.checked).toBe(before)
    offer()
    expect(bench.replica(3).noted('new-view-refused')).toHaveLength(1)
  })
})

it('a payload that was fetched is the one that was proposed', () => {
  const bench = new Bench().start()
  const late = bench.replica(4)
  late.autoFetch = false
  bench.replica(1).propose('a')
  // Prepared by three, committed by nobody; the fourth has not even heard of it.
  bench.settle(({ to, message }) => to !== 4 && message.kind !== 'commit')
  bench.take()
  bench.replica(1).crash()
  for (const id of [2, 3, 4]) bench.replica(id).propose('b')
  bench.elapse(4_000, ({ to, message }) => !(to === 4 && message.kind === 'pre-prepare'))
  const asked = late.wanted.find(({ wanted }) => wanted.kind === 'payload')!
  const prepares = (): number => late.disk.filter(({ record }) => record.kind === 'proposal').length
  const before = prepares()
  const give = (payload: Uint8Array): void =>
    late.step({ kind: 'fetched', wanted: asked.wanted, from: replicaId(2), result: { kind: 'payload', payload } })
  give(payloadOf('x'))
  expect(prepares()).toBe(before)
  give(payloadOf('a'))
  expect(prepares()).toBeGreaterThan(before)
  bench.elapse(2_000, kinds('prepare', 'commit', 'status', 'pre-prepare'))
  expect(late.texts).toContain('a')
})

it('a vote for what nobody has proposed makes nobody restless', () => {
  const bench = new Bench().start()
  bench.liars.add(replicaId(4))
  bench.elapse(2_000)
  const quiet = bench.sent.length
  bench.elapse(2_000)
  const perTwoSeconds = bench.sent.length - quiet
  for (const replica of bench.replicas.slice(0, 3)) {
    replica.receive(4, forge.vote(bench, 4, 'prepare', 0, forge.block(bench, 3, 'a')))
  }
  const before = bench.sent.length
  bench.elapse(2_000)
  // The primary's heartbeats, and nothing else.
  expect(bench.sent.length - before).toBe(perTwoSeconds)
})

it('what was taken over as decided is voted for, and nothing else at its height', () => {
  for (const isOther of [true, false]) {
    const bench = new Bench().start()
    bench.isolate(4)
    bench.replica(1).propose('a')
    bench.settle()
    const late = bench.replica(4)
    const blocks = bench.replica(2).blocksFrom(1)
    const wanted = { kind: 'decided', fromHeight: 1, toHeight: 1 } as const
    late.step({ kind: 'fetched', wanted, from: replicaId(2), result: { kind: 'decided', blocks } })
    expect(late.texts).toEqual(['a'])
    bench.liars.add(replicaId(1))
    const { header } = blocks[0]!.block
    const same = { header, payload: blocks[0]!.block.payload, digest: forge.digestOf(header) }
    late.receive(1, forge.prePrepare(bench, 1, 0, isOther ? forge.block(bench, 1, 'x') : same))
    const prepares = bench.sent.filter(({ from, message }) => from === 4 && message.kind === 'prepare')
    expect(prepares).toHaveLength(isOther ? 0 : 3)
  }
})
