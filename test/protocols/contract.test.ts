// What a user of the contract (kernel/protocol.ts) may rely on, whichever protocol it is. One suite, run on each.

import { describe, expect, it } from 'vitest'
import { blockDigest, payloadDigest, type Block } from '../../src/kernel/block.ts'
import type { ProtocolName } from '../../src/kernel/ids.ts'
import type { DecisionProof } from '../../src/kernel/proof.ts'
import type { Persisted, ProtocolEvent, ProtocolStatus } from '../../src/kernel/protocol.ts'
import { simulatedHasher } from '../../src/simulator/simulated-suite.ts'
import { Bench as HotstuffBench } from './hotstuff/bench.ts'
import { Bench as PbftBench } from './pbft/bench.ts'
import { Bench as RaftBench, testHasher } from './raft/bench.ts'

/** What the benches of all protocols have in common. */
interface Seat {
  readonly id: number
  readonly status: ProtocolStatus
  readonly texts: string[]
  readonly decided: { block: Block; proof: DecisionProof }[]
  readonly reads: { id: number; height: number }[]
  readonly notes: ProtocolEvent[]
  readonly released: Persisted
  autoSync: boolean
  autoExecute: boolean
  propose(...texts: string[]): void
  step(input: { kind: 'read'; id: number } | { kind: 'storage-stalled' } | { kind: 'storage-resumed' }): void
  sync(): void
  execute(): void
  stable(height: number): void
  crash(): unknown
  start(): void
}

interface World {
  readonly replicas: readonly Seat[]
  /** Sent so far. */
  readonly sent: readonly { from: number }[]
  replica(id: number): Seat
  settle(): unknown
  elapse(durationMs: number): unknown
  isolate(id: number): unknown
  heal(): unknown
}

interface Contestant {
  name: string
  protocol: ProtocolName
  /** Survives one fault, and has replica 1 for a leader. */
  create: (parameters?: object) => World
  digest: (bytes: Uint8Array) => Uint8Array
}

const contestants: readonly Contestant[] = [
  {
    name: 'raft',
    protocol: 'raft',
    create: (parameters = {}) => new RaftBench({ voters: 3, parameters }).start().elect(1) as unknown as World,
    digest: (bytes) => payloadDigest(testHasher, bytes),
  },
  {
    name: 'pbft',
    protocol: 'pbft',
    create: (parameters = {}) => new PbftBench({ voters: 4, parameters }).start() as unknown as World,
    digest: (bytes) => payloadDigest(simulatedHasher, bytes),
  },
  ...(['two-chain', 'three-chain'] as const).map((rule) => ({
    name: `hotstuff ${rule}`,
    protocol: 'hotstuff' as const,
    create: (parameters: object = {}) => {
      // In a row, so that three-chain outlives one leader (docs/protocols/hotstuff.md).
      const hotstuff = rule === 'two-chain' ? { rule } : { rule, leaders: 'tenure' as const }
      return new HotstuffBench({ voters: 4, parameters: { hotstuff, ...parameters } }).start() as unknown as World
    },
    digest: (bytes: Uint8Array) => payloadDigest(simulatedHasher, bytes),
  })),
]

const oneByOne = { batch: { operationsMax: 1, lingerMs: 0 } }
/** Longer than any protocol needs to replace a leader. */
const recoveryMs = 30_000

function heights(seat: Seat): number[] {
  return seat.decided.map(({ block }) => block.header.height)
}

describe.each(contestants)('$name', ({ protocol, create, digest }) => {
  it('decides what was proposed, everywhere, in one order, once each', () => {
    const world = create(oneByOne)
    world.replica(1).propose(...'abcdefgh')
    world.settle()
    world.elapse(1_000)
    for (const seat of world.replicas) expect(seat.texts.join('')).toBe('abcdefgh')
  })

  it('decides heights without a gap, each block with the payload that its header names', () => {
    const world = create(oneByOne)
    world.replica(1).propose(...'abcdef')
    world.elapse(1_000)
    for (const seat of world.replicas) {
      const [first] = heights(seat)
      expect(first).toBe(1)
      expect(heights(seat)).toEqual(Array.from({ length: seat.decided.length }, (_, index) => index + 1))
      for (const { block, proof } of seat.decided) {
        expect(digest(block.payload)).toEqual(block.header.payloadDigest)
        expect(proof.kind).toBe(protocol)
      }
    }
  })

  it('lets nothing leave that promises what is not on disk', () => {
    const world = create(oneByOne)
    for (const seat of world.replicas) seat.autoSync = false
    const backup = world.replica(2)
    const before = world.sent.filter(({ from }) => from === backup.id).length
    world.replica(1).propose('a')
    world.replica(1).sync()
    world.settle()
    // It has heard of the block, and has persisted it; what it says of it waits.
    expect(world.sent.filter(({ from }) => from === backup.id)).toHaveLength(before)
    expect(backup.texts).toEqual([])
    for (let round = 0; round < 10; round++) {
      for (const seat of world.replicas) seat.sync()
      world.settle()
    }
    world.elapse(500)
    for (const seat of world.replicas) seat.sync()
    world.settle()
    expect(world.replica(1).texts).toEqual(['a'])
  })

  it('decides the same again after a restart, from the records alone', () => {
    const world = create(oneByOne)
    world.replica(1).propose(...'abcd')
    world.elapse(1_000)
    const digests = (seat: Seat): string[] =>
      seat.decided.map(({ block }) => blockDigest(simulatedHasher, block.header).join())
    const before = world.replicas.map(digests)
    for (const seat of world.replicas) seat.crash()
    for (const seat of world.replicas) seat.start()
    world.elapse(recoveryMs)
    for (const [index, seat] of world.replicas.entries()) {
      expect(digests(seat).slice(0, before[index]!.length)).toEqual(before[index])
    }
  })

  it('goes on without its leader, and loses nothing that anybody decided', () => {
    const world = create(oneByOne)
    world.replica(1).propose(...'abc')
    world.elapse(1_000)
    world.replica(1).crash()
    const others = world.replicas.slice(1)
    for (const seat of others) seat.propose('d')
    world.elapse(recoveryMs)
    for (const seat of others) expect(new Set(seat.texts)).toEqual(new Set(['a', 'b', 'c', 'd']))
    world.replica(1).start()
    world.elapse(recoveryMs)
    expect(world.replica(1).texts).toEqual(others[0]!.texts)
  })

  it('brings back whoever was cut off, with what it missed', () => {
    const world = create(oneByOne)
    world.isolate(3)
    world.replica(1).propose(...'abcdef')
    world.elapse(1_000)
    expect(world.replica(3).texts).toEqual([])
    world.heal()
    world.elapse(recoveryMs)
    // Where leaders take turns, requests may be ordered in another order than they came in.
    expect([...world.replica(3).texts].sort().join('')).toBe('abcdef')
    expect(world.replica(3).texts).toEqual(world.replica(1).texts)
  })

  it('decides nothing without a quorum, and says whom it waits for', () => {
    const world = create(oneByOne)
    for (const seat of world.replicas.slice(1)) world.isolate(seat.id)
    world.replica(1).propose('a')
    world.elapse(100)
    expect(world.replica(1).texts).toEqual([])
    const [awaited] = world.replica(1).status.awaited
    expect(awaited!.missing.length).toBeGreaterThanOrEqual(awaited!.quorum - 1)
    expect(awaited!.have.length).toBeLessThan(awaited!.quorum)
    world.heal()
    world.elapse(recoveryMs)
    for (const seat of world.replicas) expect(seat.texts).toEqual(['a'])
  })

  it('gives a read a height at or above whatever was decided when it came', () => {
    const world = create(oneByOne)
    world.replica(1).propose(...'abc')
    world.elapse(1_000)
    world.replica(1).step({ kind: 'read', id: 7 })
    world.elapse(500)
    const [read] = world.replica(1).reads
    expect(read!.id).toBe(7)
    expect(read!.height).toBeGreaterThanOrEqual(Math.max(...heights(world.replica(1))))
  })

  it('hands decided blocks on only as far as the application keeps up', () => {
    const flow = { executionLagBlocksMax: 4, pipelineBlocksMax: 16 }
    const world = create({ ...oneByOne, flow })
    const slow = world.replica(2)
    slow.execute()
    const before = slow.decided.length
    slow.autoExecute = false
    world.replica(1).propose(...'abcdefghijkl')
    world.elapse(2_000)
    expect(slow.decided.length - before).toBe(4)
    expect(world.replica(1).texts.join('')).toBe('abcdefghijkl')
    slow.autoExecute = true
    slow.execute()
    world.elapse(2_000)
    expect(slow.texts.join('')).toBe('abcdefghijkl')
  })

  it('promises nothing while the disk is full, and goes on when there is room', () => {
    const world = create(oneByOne)
    for (const seat of world.replicas) seat.step({ kind: 'storage-stalled' })
    world.replica(1).propose('a')
    world.elapse(200)
    for (const seat of world.replicas) expect(seat.texts).toEqual([])
    for (const seat of world.replicas) seat.step({ kind: 'storage-resumed' })
    world.elapse(recoveryMs)
    for (const seat of world.replicas) expect(seat.texts).toEqual(['a'])
  })

  it('releases records behind stable checkpoints, and starts again from what is left', () => {
    const world = create(oneByOne)
    world.replica(1).propose(...'abcdefgh')
    world.elapse(1_000)
    const whole = world.replica(2).texts.join('')
    for (const seat of world.replicas) seat.stable(3)
    for (const seat of world.replicas) seat.stable(6)
    world.elapse(500)
    for (const seat of world.replicas) expect(seat.released).toBeGreaterThan(0)
    for (const seat of world.replicas) seat.crash()
    for (const seat of world.replicas) seat.start()
    world.elapse(recoveryMs)
    for (const seat of world.replicas) {
      // What lies at or below the checkpoint is in the state.
      expect(heights(seat)[0] ?? 7).toBeGreaterThan(6)
      expect(whole.endsWith(seat.texts.join(''))).toBe(true)
    }
    world.replica(2).propose('z')
    world.replica(1).propose('z')
    world.elapse(recoveryMs)
    for (const seat of world.replicas) expect(seat.texts.at(-1)).toBe('z')
  })

  it('names a leader, a phase and a decided height in every status', () => {
    const world = create()
    world.replica(1).propose('a')
    world.elapse(1_000)
    for (const seat of world.replicas) {
      const { leader, phase, decidedHeight, executedHeight } = seat.status
      expect(seat.status.protocol).toBe(protocol)
      // All name the same one.
      expect(leader).toBe(protocol === 'hotstuff' ? world.replica(1).status.leader : 1)
      expect(leader).not.toBeNull()
      expect(phase.length).toBeGreaterThan(5)
      expect(decidedHeight).toBe(seat.decided.at(-1)!.block.header.height)
      expect(executedHeight).toBe(decidedHeight)
    }
  })
})
