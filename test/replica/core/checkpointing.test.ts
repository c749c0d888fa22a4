// Checkpoints, snapshots and fetched states in one replica, together: real executors and stores in memory, with a wire between them. What
// the single rooms do by themselves is tested there; here is what they owe one another.

import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import { replicaId, type Height, type ReplicaId } from '../../../src/kernel/ids.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import type { HostChannel } from '../../../src/replica/driver/frame.ts'
import { Checkpointing } from '../../../src/replica/core/checkpointing.ts'
import { holdMs } from '../../../src/replica/core/snapshot-hold.ts'
import { createStoreExecutor } from '../../../src/simulator/store-language.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { blockOf } from '../../execution/fixtures.ts'
import { Group } from '../checkpoints/group.ts'
import { MemoryStore } from '../checkpoints/memory-store.ts'
import { makeChunks, World } from '../checkpoints/transfer-world.ts'

const [one, two, three] = [1, 2, 3].map(replicaId) as [ReplicaId, ReplicaId, ReplicaId]

interface Parcel {
  from: ReplicaId
  to: ReplicaId
  through: HostChannel
  body: Uint8Array
}

class Network {
  readonly group = new Group({ protocol: 'raft', voters: 3, learners: 0 })
  readonly seats: Seat[]
  parcels: Parcel[] = []
  nowMs = 0

  constructor() {
    const { epoch } = this.group
    const every4 = { ...epoch, parameters: { ...epoch.parameters, checkpoints: { intervalHeights: 4 } } }
    this.seats = this.group.ids.map((id) => new Seat(this, id, every4))
  }

  /** Turns of all, with everything delivered, for so long. */
  run(forMs: number = 2000): this {
    for (const endMs = this.nowMs + forMs; this.nowMs <= endMs; this.nowMs += 10) {
      for (const { from, to, through, body } of this.parcels.splice(0)) {
        this.seats[to - 1]!.checkpointing.message(from, through, body, this.nowMs)
      }
      for (const seat of this.seats) seat.turn()
    }
    return this
  }
}

class Seat {
  readonly network: Network
  readonly id: ReplicaId
  readonly store = new MemoryStore()
  readonly executor
  readonly checkpointing: Checkpointing
  readonly certified: Height[] = []
  readonly stable: Height[] = []
  readonly restored: Height[] = []
  readonly failures: unknown[] = []
  wanted: (checkpoint: Checkpoint) => boolean = () => true

  constructor(network: Network, id: ReplicaId, epoch: Group['epoch']) {
    this.network = network
    this.id = id
    this.executor = createStoreExecutor(epoch, simulatedHasher)
    const others = network.group.ids.filter((other) => other !== id)
    const send = (to: ReplicaId, through: HostChannel, body: Uint8Array): void => {
      network.parcels.push({ from: id, to, through, body: body.slice() })
    }
    this.checkpointing = new Checkpointing({
      epoch,
      self: id,
      definition: { verifyDecision: () => true },
      executor: this.executor,
      snapshots: this.store,
      hasher: simulatedHasher,
      signer: network.group.signer(id),
      verifier: network.group.suite,
      random: createRandom(id),
      policy: { logBytesMin: 0, writtenPercentMin: 0, sliceBytesMax: 1 },
      host: {
        send,
        broadcast: (through, body) => others.forEach((to) => send(to, through, body)),
        certified: ({ header }) => this.certified.push(header.height),
        stable: ({ header }) => this.stable.push(header.height),
        wanted: (checkpoint) => this.wanted(checkpoint),
        restored: ({ header }) => this.restored.push(header.height),
        failed: (cause) => this.failures.push(cause),
        accuse: () => {
          throw new Error('nobody lies here')
        },
        note: () => {},
        dropped: () => {},
        wake: () => {},
      },
    })
  }

  get status() {
    return this.checkpointing.status()
  }

  /** Blocks up to this height, whose headers are told at once. */
  executes(height: Height): void {
    while (this.executor.height < height) {
      const block = blockOf(this.executor.height + 1, [])
      this.checkpointing.decided(block.header, this.network.group.proof(block.header.height))
      this.executor.execute(block)
      while (this.executor.work());
      for (const header of this.executor.takeHeaders()) this.checkpointing.headerMade(header)
    }
  }

  turn(): void {
    for (const act of this.store.later.splice(0)) act()
    for (let turn = 0; this.checkpointing.work(0, this.network.nowMs); turn++) if (turn > 1000) throw new Error('busy')
  }
}

/** Replicas 1 and 2 have a stable snapshot of height 4; replica 3 has nothing. */
function withLaggard(): Network {
  const network = new Network()
  for (const seat of network.seats.slice(0, 2)) seat.executes(4)
  return network.run()
}

describe('a checkpoint', () => {
  it('is certified and stable where it was executed, and at no other height', () => {
    const network = new Network()
    for (const seat of network.seats) seat.executes(9)
    network.run()
    for (const seat of network.seats) {
      expect(seat.certified).toEqual([4, 8])
      // Of the two that were made before a turn, the newer is written.
      expect(seat.stable).toEqual([8])
      expect(seat.status).toMatchObject({ stableHeight: 8, certifiedHeight: 8, restoredHeight: 0, awaited: null })
    }
  })

  it('is repeated where what was said of it was lost, when that is due', () => {
    const network = new Network()
    const [seat] = network.seats as [Seat]
    for (const each of network.seats) each.executes(4)
    network.parcels = []
    expect(seat.checkpointing.nextDueMs()).toBe(network.group.epoch.parameters.timers.retransmitMs)
    network.run()
    expect(network.seats.map(({ stable }) => stable)).toEqual([[4], [4], [4]])
    expect(seat.checkpointing.nextDueMs()).toBeNull()
  })

  it('is signed for no block that was not decided here', () => {
    const network = new Network()
    const [seat] = network.seats as [Seat]
    seat.checkpointing.headerMade(network.group.header(4))
    network.run()
    expect(seat.status.awaited).toBeNull()
  })

  it('that a quorum made otherwise ends this replica', () => {
    const network = new Network()
    const { seats, group } = network
    for (const seat of seats.slice(0, 2)) seat.executes(4)
    const block = blockOf(4, [])
    seats[2]!.checkpointing.decided(block.header, group.proof(4))
    seats[2]!.checkpointing.headerMade({ ...group.header(4), stateRoot: new Uint8Array(32).fill(9) })
    network.run()
    expect(seats[2]!.failures).toMatchObject([{ code: 'ERR_DIVERGED' }])
    expect(seats[2]!.stable).toEqual([])
    expect(seats[0]!.failures).toEqual([])
  })

  it('waits with its view while another is being written, and is written then', () => {
    const network = new Network()
    const [seat] = network.seats as [Seat]
    seat.store.bytesAtOnce = 1
    seat.executes(4)
    seat.checkpointing.work(0, 0)
    expect(seat.executor.checkpoint).toBeNull()
    seat.executes(8)
    seat.checkpointing.work(0, 0)
    expect(seat.executor.checkpoint?.header.height).toBe(8)
    network.seats[1]!.executes(8)
    network.run()
    expect(seat.stable.at(-1)).toBe(8)
  })
})

describe('a replica that lacks a state', () => {
  it('fetches it, and its executor goes on from there', () => {
    const network = withLaggard()
    const laggard = network.seats[2]!
    laggard.checkpointing.want(4, [one, two], network.nowMs)
    expect(laggard.status.transfer).not.toBeNull()
    network.run()
    expect(laggard.restored).toEqual([4])
    expect(laggard.executor.height).toBe(4)
    expect(laggard.status).toMatchObject({ restoredHeight: 4, stableHeight: 4, certifiedHeight: 4, transfer: null })
    for (const seat of network.seats) seat.executes(8)
    network.run()
    expect(laggard.stable).toEqual([8])
    expect(laggard.failures).toEqual([])
  })

  it('keeps what its log has brought meanwhile', () => {
    const network = withLaggard()
    const laggard = network.seats[2]!
    laggard.wanted = () => false
    laggard.checkpointing.want(4, [one, two], network.nowMs)
    laggard.executes(3)
    network.run()
    expect(laggard.store.stable.map(({ checkpoint }) => checkpoint.header.height)).toEqual([4])
    expect([laggard.restored, laggard.executor.height, laggard.status.restoredHeight]).toEqual([[], 3, 0])
  })

  it('needs none any more when blocks have brought it as far', () => {
    const network = withLaggard()
    const laggard = network.seats[2]!
    laggard.checkpointing.want(5, [one, two], network.nowMs)
    network.run()
    // Nobody has so high a state.
    expect(laggard.status.transfer).not.toBeNull()
    laggard.executes(5)
    network.run(10)
    expect(laggard.status.transfer).toBeNull()
  })

  it('fetches again what its disk has lost before it was read', () => {
    const network = withLaggard()
    const laggard = network.seats[2]!
    let losses = 1
    laggard.wanted = () => {
      const [entry] = laggard.store.stable[0]!.entries
      if (losses-- > 0) laggard.store.damage(entry!.digest)
      return true
    }
    laggard.checkpointing.want(4, [one, two], network.nowMs)
    network.run()
    expect(laggard.failures).toEqual([])
    expect([laggard.restored, laggard.executor.height]).toEqual([[4], 4])
  })

  it('ends when a quorum has signed what it can make no state of', () => {
    const network = new Network()
    const chunks = makeChunks(createRandom(1), 3, 10)
    const checkpoint = network.group.checkpoint(new World().checkpointOf(4, chunks).header, [one, two])
    for (const seat of network.seats.slice(0, 2)) seat.store.put(checkpoint, chunks)
    const laggard = network.seats[2]!
    laggard.checkpointing.want(4, [one, two], network.nowMs)
    network.run()
    expect(laggard.failures).toMatchObject([{ code: 'ERR_STATE_NOT_RESTORED' }])
    expect([laggard.restored, laggard.executor.height]).toEqual([[], 0])
  })

  it('writes none of its own meanwhile', () => {
    const network = withLaggard()
    const laggard = network.seats[2]!
    laggard.executes(4)
    laggard.checkpointing.want(8, [one, two], network.nowMs)
    laggard.turn()
    expect(laggard.store.begun).toBe(0)
  })
})

it('while somebody fetches from it, a replica begins no newer snapshot, and does so afterwards', () => {
  const network = withLaggard()
  const [server, , laggard] = network.seats as [Seat, Seat, Seat]
  laggard.checkpointing.want(4, [one], network.nowMs)
  laggard.turn()
  server.checkpointing.message(three, network.parcels[0]!.through, network.parcels[0]!.body, network.nowMs)
  const begun = server.store.begun
  for (const seat of network.seats.slice(0, 2)) seat.executes(8)
  server.turn()
  expect(server.store.begun).toBe(begun)
  network.parcels = network.parcels.filter(({ from }) => from !== three)
  network.run(2 * holdMs)
  expect(server.stable.at(-1)).toBe(8)
})
