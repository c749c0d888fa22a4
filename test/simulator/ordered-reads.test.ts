// Reads that are ordered while blocks are few: one leader of four is dead, and a block holds one operation. Replicas, disks and clients are
// the real ones, in virtual time. However often a client asks, a read takes few places in the order, and what waits behind it gets in.

import { expect, it } from 'vitest'
import { ClientCore, clientLimitsDefault } from '../../src/client/core/client-core.ts'
import type { Settled } from '../../src/client/core/operation.ts'
import { nonceBytes } from '../../src/kernel/envelope.ts'
import type { ReplicaId } from '../../src/kernel/ids.ts'
import type { Epoch } from '../../src/kernel/membership.ts'
import { parameterBounds, type HotstuffRule } from '../../src/kernel/parameters.ts'
import { createRandom } from '../../src/kernel/random.ts'
import { HistoryHash } from '../../src/simulator/history-hash.ts'
import { calmNetwork, clientAddressMin, clientKeyAt, Network } from '../../src/simulator/network.ts'
import { simulatedProtocols } from '../../src/simulator/protocols.ts'
import { Scheduler } from '../../src/simulator/scheduler.ts'
import { SimulatedReplica } from '../../src/simulator/simulated-replica.ts'
import { createSimulatedSuite, simulatedHasher } from '../../src/simulator/simulated-suite.ts'
import { createStoreExecutor, writeCommand, writeQuery } from '../../src/simulator/store-language.ts'
import { latin1 } from '../../src/wire/latin1.ts'
import { epochOf } from './epochs.ts'

const dead = 3 as ReplicaId
const clients = 24
const retryMsMin = 150

/** A block of one operation; and a rotation of views in which a lost leader keeps nobody from committing, by either rule. */
function epochOfSmallBlocks(rule: HotstuffRule): Epoch {
  const epoch = epochOf('hotstuff', 4)
  const { parameters } = epoch
  return {
    ...epoch,
    parameters: {
      ...parameters,
      batch: { ...parameters.batch, operationsMax: 1 },
      timers: { ...parameters.timers, timeoutMsBase: 150, timeoutMsMax: 600 },
      flow: { ...parameters.flow, pipelineBlocksMax: 1 },
      hotstuff: { ...parameters.hotstuff, rule, leaders: 'tenure', tenureViews: 4 },
    },
  }
}

class World {
  readonly scheduler = new Scheduler()
  readonly settled: Settled[] = []
  /** Ordered reads that anybody has executed, by name. */
  readonly reads = new Set<string>()
  readonly replicas: SimulatedReplica[]
  readonly #suite = createSimulatedSuite()
  readonly #network = new Network(this.scheduler, createRandom('few blocks'), new HistoryHash(), {})
  readonly #epoch: Epoch

  constructor(rule: HotstuffRule) {
    this.#epoch = epochOfSmallBlocks(rule)
    this.#network.model = { ...calmNetwork, delayUsMin: 5_000, delayUsTypical: 5_000 }
    this.replicas = this.#epoch.members.map(({ id }) => this.#replicaOf(id))
    this.until(() => this.replicas.every(({ work }) => work !== null))
    this.replicas[dead - 1]!.kill()
  }

  until(isSo: () => boolean): void {
    while (!isSo() && this.scheduler.nowUs < 60_000_000 && this.scheduler.step(Infinity));
  }

  /** A write and a read of each at once. */
  asks(number: number): void {
    const address = clientAddressMin + number
    const signer = this.#suite.signer(clientKeyAt(address))
    const random = createRandom(`client ${number}`)
    const nowMs = (): number => this.scheduler.nowUs / 1000
    const client = new ClientCore({
      network: this.#epoch.network,
      client: signer.publicKey,
      signer,
      repliesNeeded: 2,
      hasher: simulatedHasher,
      leadersTakeTurns: true,
      reads: { kind: 'ordered' },
      repliesKept: 16,
      replicas: this.replicas.map(({ id }) => id),
      nonce: () => Uint8Array.from({ length: nonceBytes }, () => random.below(256)),
      random,
      send: (to, request) => this.#network.send(address, to, request, this.scheduler.nowUs),
      limits: { ...clientLimitsDefault, retryMsMin, retryMsMax: 4 * retryMsMin },
    })
    const endTurn = (): void => {
      client.endTurn(nowMs())
      const { dueMs } = client
      if (dueMs === null) return
      this.scheduler.at(Math.max(this.scheduler.nowUs + 1, Math.ceil(dueMs * 1000)), () => {
        if ((client.dueMs ?? Infinity) <= nowMs()) endTurn()
      })
    }
    this.#network.attach(address, (from, bytes) => {
      client.response(from as ReplicaId, bytes, nowMs())
      endTurn()
    })
    for (const { id } of this.replicas) if (id !== dead) client.connected(id, nowMs())
    const settled = (outcome: Settled): void => void this.settled.push(outcome)
    client.query(writeQuery({ kind: 'get', key: 'k' }), 'linearizable', settled)
    client.submit(writeCommand({ kind: 'put', key: 'k', value: `${number}` })!, settled)
    endTurn()
  }

  #replicaOf(id: ReplicaId): SimulatedReplica {
    return new SimulatedReplica({
      id,
      epoch: this.#epoch,
      definition: simulatedProtocols.hotstuff.definition as never,
      attack: null,
      createExecutor: (hasher) => createStoreExecutor(this.#epoch, hasher),
      hasher: simulatedHasher,
      suite: this.#suite,
      scheduler: this.scheduler,
      network: this.#network,
      random: createRandom(`replica ${id}`),
      diskRandom: createRandom(`disk ${id}`),
      memory: null,
      coverage: {},
      driftPpmMax: 0,
      wallOffsetMsMax: 0,
      jumpsFar: false,
      owedTurnUs: 0,
      snapshots: {
        logBytesMin: Infinity,
        writtenPercentMin: 100,
        sliceBytesMax: 1024 * 1024,
        transferBytesPerSecond: 1024 * 1024,
      },
      world: {
        decided: () => {},
        executed: ({ envelopes }) => {
          for (const one of envelopes) if (one.kind === 'read') this.reads.add(latin1(one.client) + latin1(one.nonce))
        },
        headerMade: () => {},
        restored: () => {},
        event: () => {},
        accused: () => {},
        violated: (invariant, explanation) => {
          throw new Error(`${invariant}: ${explanation}`)
        },
        note: () => {},
        isDamaged: () => false,
        ended: () => {},
        unmasked: () => {},
      },
    })
  }
}

it.each(parameterBounds.hotstuff.rule.choices)('take few places each, and everything gets in (%s)', (rule) => {
  const world = new World(rule)
  for (let number = 1; number <= clients; number++) world.asks(number)
  world.until(() => world.settled.length === 2 * clients)
  expect(world.settled.filter(({ ok }) => ok)).toHaveLength(2 * clients)
  // Each left some thirty times.
  expect(world.reads.size).toBeLessThan(4 * clients)
})
