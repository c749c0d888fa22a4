// R3 and B13 of the pitfalls, as schedules: four replicas, real executors and gateways, one liar, and correct ones that lag behind
// their own commits, or are kept from executing.

import { describe, expect, it } from 'vitest'
import { ClientCore } from '../../../src/client/core/client-core.ts'
import type { Settled } from '../../../src/client/core/operation.ts'
import type { Executor } from '../../../src/execution/executor.ts'
import { clientRequestCodec, clientResponseCodec, type ClientResponse } from '../../../src/kernel/client-messages.ts'
import { envelopeCodec, type Envelope } from '../../../src/kernel/envelope.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { outcomeCodec } from '../../../src/kernel/outcome.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { ClientGateway } from '../../../src/replica/core/client-gateway.ts'
import { Pool } from '../../../src/replica/pool/request-pool.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { decode, encode } from '../../../src/wire/codec.ts'
import { clientKey, createExecutor, none, openSession, operations, run } from '../../execution/fixtures.ts'

const liar = 4

/** A correct replica: what it has voted to commit, and what it has executed. */
class Replica {
  readonly id: ReplicaId
  readonly executor: Executor = createExecutor()
  readonly gateway: ClientGateway
  readonly pool = new Pool({ forward: () => {} })
  committed = 0

  constructor(id: number, world: World) {
    this.id = id as ReplicaId
    this.gateway = new ClientGateway({
      pool: this.pool,
      executor: this.executor,
      send: (_connection, bytes) => world.client.response(this.id, bytes, world.nowMs),
      authentic: () => true,
      read: (readId) => this.gateway.readReady(readId, this.committed),
      leader: () => null,
      self: this.id,
      report: () => none,
    })
  }

  executes(...envelopes: Envelope[]): void {
    this.committed = Math.max(this.committed, this.executor.height + 1)
    const block = run(this.executor, ...envelopes)
    this.pool.executed(block.envelopes)
    this.gateway.executed(block, { monotonicMs: 0, wallMs: 0 })
  }
}

class World {
  readonly correct = [1, 2, 3].map((id) => new Replica(id, this))
  readonly settled: Settled[] = []
  readonly client: ClientCore
  nowMs = 1000
  /** What went to the liar. */
  readonly lured: Uint8Array[] = []
  readonly silent = new Set<number>()
  /** Envelopes that were submitted. */
  readonly submitted: Envelope[] = []

  constructor() {
    let nonces = 0
    this.client = new ClientCore({
      network: new Uint8Array(32),
      client: clientKey(9),
      signer: null,
      hasher: simulatedHasher,
      repliesNeeded: 2,
      reads: { kind: 'quorum', quorum: 3 },
      repliesKept: 8,
      replicas: [1, 2, 3, 4] as ReplicaId[],
      nonce: () => new Uint8Array(16).fill(++nonces),
      random: createRandom('stale'),
      send: (to, request) => this.#send(to, Uint8Array.from(request)),
    })
    for (const id of [1, 2, 3, 4]) this.client.connected(id as ReplicaId, this.nowMs)
  }

  /** All correct replicas have executed the same two heights; the second holds one operation. */
  begin(): this {
    for (const replica of this.correct) {
      const session = openSession(replica.executor, 1, 1)
      replica.executes(operations(1, session, 1, ['old']))
    }
    return this
  }

  get write(): Envelope {
    return operations(1, { height: 1, index: 0 }, 2, ['new'])
  }

  read(): void {
    this.client.query(none, 'linearizable', (settled) => void this.settled.push(settled))
    this.client.endTurn(this.nowMs)
  }

  /** Until something is due, and what that brings. */
  pass(): void {
    this.nowMs = Math.max(this.nowMs, this.client.dueMs ?? this.nowMs)
    this.client.endTurn(this.nowMs)
  }

  lies(response: ClientResponse): void {
    this.client.response(liar as ReplicaId, encode(clientResponseCodec, response), this.nowMs)
  }

  #send(to: ReplicaId, bytes: Uint8Array): void {
    if (to === liar) return void this.lured.push(bytes)
    const request = decode(clientRequestCodec, bytes)
    if (!request.ok) throw request.error
    if (request.value.kind === 'submit' && to === 1) {
      for (const encoded of request.value.envelopes) {
        const envelope = decode(envelopeCodec, encoded)
        if (envelope.ok) this.submitted.push(envelope.value)
      }
    }
    if (!this.silent.has(to)) this.correct[to - 1]!.gateway.request(1, bytes, { monotonicMs: this.nowMs, wallMs: 0 })
  }
}

/** The liar answers all that it was asked as a state does that was never written to since. */
function answerAs(world: World, replica: Replica): void {
  for (const bytes of world.lured.splice(0)) {
    const request = decode(clientRequestCodec, bytes)
    if (!request.ok || request.value.kind !== 'reads') continue
    const { nonce, reads } = request.value
    const answers = reads.map(({ id, query }) => ({ id, answer: replica.executor.query(query) }))
    world.lies({ kind: 'answers', nonce, stated: 0, height: replica.executor.height, answers })
  }
}

function states(settled: readonly Settled[]): (number | string)[] {
  return settled.map((one) => (one.ok ? one.height : one.failure.code))
}

describe('a liar and two that lag behind their own commits (R3)', () => {
  it('do not hide what was acknowledged: replica 1 has executed it, and 2 and 3 have voted for it', () => {
    const world = new World().begin()
    const [first, second, third] = world.correct as [Replica, Replica, Replica]
    const before = second.executor.height
    // Committed by 1, 2, 3; executed, and so acknowledged by two, by 1 and the liar.
    first.executes(world.write)
    for (const replica of [second, third]) replica.committed = before + 1
    world.silent.add(1)
    world.read()
    answerAs(world, second)
    expect(states(world.settled)).toEqual([])
    second.executes(world.write)
    third.executes(world.write)
    expect(states(world.settled)).toEqual([before + 1])
    const { result } = world.settled[0] as Extract<Settled, { ok: true }>
    const outcome = decode(outcomeCodec, first.executor.query(none))
    expect(outcome.ok && outcome.value.kind === 'executed' && outcome.value.result).toEqual(result)
  })

  it('do not hide it either when one of them states what it must execute, and cannot answer yet', () => {
    const world = new World().begin()
    const [first, second, third] = world.correct as [Replica, Replica, Replica]
    const before = second.executor.height
    first.executes(world.write)
    for (const replica of [second, third]) replica.committed = before + 1
    world.read()
    answerAs(world, second)
    // 1, 2 and 3 have stated; one answer of the right height is there, and one that is too old.
    expect(states(world.settled)).toEqual([])
    third.executes(world.write)
    expect(states(world.settled)).toEqual([before + 1])
  })
})

describe('a leader that withholds its commits from one replica (B13)', () => {
  it('delays no read while the other two execute: the starved one states what it has voted for', () => {
    const world = new World().begin()
    const [first, second, starved] = world.correct as [Replica, Replica, Replica]
    for (const replica of [first, second]) replica.executes(world.write)
    starved.committed = first.executor.height
    world.read()
    expect(states(world.settled)).toEqual([first.executor.height])
    expect(world.submitted).toEqual([])
  })

  it('and silence of the starved one make reads and writes go through the order, all of them', () => {
    const world = new World().begin()
    const [first, second] = world.correct as [Replica, Replica, Replica]
    world.silent.add(3)
    for (let round = 0; round < 5; round++) {
      world.read()
      for (const replica of [first, second]) replica.executes(operations(1, { height: 1, index: 0 }, 2 + round, ['w']))
      for (let left = 10; left > 0 && world.submitted.length === 0; left--) world.pass()
      const ordered = world.submitted.splice(0)
      for (const replica of [first, second]) replica.executes(...ordered)
    }
    expect(states(world.settled)).toEqual([4, 6, 8, 10, 12])
  })
})
