// Cores of one protocol in one process: real driver, encoding, pool and payload digests; a log in memory; no executor, no sockets.
// Prints operations a CPU second beside what hashing and verifying cost in the same run.

import { cpuYardstick } from '../src/benchmark/yardstick.ts'
import { payloadEnvelopesCodec } from '../src/kernel/block.ts'
import { nodeEd25519 } from '../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../src/crypto/node/sha256-hasher.ts'
import { envelopeCodec, type Envelope } from '../src/kernel/envelope.ts'
import { replicaId, type ReplicaId } from '../src/kernel/ids.ts'
import type { Epoch } from '../src/kernel/membership.ts'
import { defaultParameters } from '../src/kernel/parameters.ts'
import type { ProtocolDefinition } from '../src/kernel/protocol.ts'
import { createRandom } from '../src/kernel/random.ts'
import { Driver } from '../src/replica/driver/driver.ts'
import { Pool } from '../src/replica/pool/request-pool.ts'
import { decode, encode } from '../src/wire/codec.ts'

export interface InProcessOptions<Message, LogRecord> {
  definition: ProtocolDefinition<Message, LogRecord>
  replicas: number
  operationBytes: number
  operationsPerEnvelope: number
  operationsPerBlock: number
  blocks: number
}

interface Core<Message, LogRecord> {
  id: ReplicaId
  driver: Driver<Message, LogRecord>
  pool: Pool
  decided: number
  appended: number
  timers: Set<string>
}

/** CPU seconds for all the blocks, and how many operations every core has decided. */
export function runInProcess<Message, LogRecord>(
  options: InProcessOptions<Message, LogRecord>,
): { cpuSeconds: number; operations: number } {
  const frames: (() => void)[] = []
  let nowMs = 0
  const now = () => ({ monotonicMs: nowMs, wallMs: 1_760_000_000_000 + nowMs })
  const epoch = createEpoch(options)
  const cores: Core<Message, LogRecord>[] = epoch.members.map((member) =>
    createCore(options, epoch, member.id, frames, () => cores, now),
  )
  for (const core of cores)
    core.driver.start({ incarnation: 1, records: [], checkpoint: null, abstains: false }, 0, now())
  const turn = (): void => {
    for (const core of cores) {
      core.driver.durable(core.appended, now())
      core.driver.endTurn()
    }
    for (const deliver of frames.splice(0)) deliver()
  }
  // The first asks for votes while the others still wait.
  nowMs = epoch.parameters.timers.timeoutMsBase
  const leader = cores[0]!
  fire(leader, 'election')
  for (let round = 0; leader.decided === 0; round++) {
    if (round > 100) throw new Error('the first core does not come to lead')
    turn()
  }
  const envelopes = createEnvelopes(options)
  const base = leader.decided
  const started = process.cpuUsage()
  let fed = 0
  let turns = 0
  const perBlock = options.operationsPerBlock / options.operationsPerEnvelope
  while (Math.min(...cores.map((core) => core.decided)) < base + options.blocks) {
    // A full pool at the leader: what arrives is decoded elsewhere, and costs nothing here.
    while (leader.pool.waitingOperations < 4 * options.operationsPerBlock && fed < options.blocks * perBlock) {
      const { encoded, envelope } = envelopes[fed++]!
      if (leader.pool.add(encoded, envelope, nowMs) !== 'added') throw new Error('the pool is full')
    }
    leader.driver.input({ kind: 'requests' }, now())
    turn()
    if (++turns > 100 * options.blocks) throw new Error('the cores make no progress')
  }
  const used = process.cpuUsage(started)
  return { cpuSeconds: (used.user + used.system) / 1e6, operations: options.blocks * options.operationsPerBlock }

  function fire(core: Core<Message, LogRecord>, name: string): void {
    if (!core.timers.delete(name)) return
    core.driver.timer(name, now())
  }
}

function createCore<Message, LogRecord>(
  options: InProcessOptions<Message, LogRecord>,
  epoch: Epoch,
  id: ReplicaId,
  frames: (() => void)[],
  cores: () => Core<Message, LogRecord>[],
  now: () => { monotonicMs: number; wallMs: number },
): Core<Message, LogRecord> {
  const pool = new Pool({ forward: () => {} })
  const timers = new Set<string>()
  const executed: number[] = []
  const driver = new Driver({
    definition: options.definition,
    epoch,
    self: id,
    ports: {
      pool,
      hasher: nodeHasher,
      signer: nodeEd25519.signer(new Uint8Array(32).fill(id)),
      verifier: nodeEd25519,
      random: createRandom(id),
      roundTripMs: () => null,
    },
    log: {
      append: () => ++core.appended,
      appendSoon: () => ++core.appended,
      hurry: () => {},
      flush: () => {
        for (const height of executed.splice(0)) driver.executed(height, null, now())
      },
      read: () => null,
      backedUp: false,
    },
    links: {
      send: (to, frame) => frames.push(() => cores()[to - 1]!.driver.frame(id, frame, now())),
    },
    timers: { arm: (name) => timers.add(name), disarm: (name) => timers.delete(name) },
    host: {
      decided: (block) => {
        core.decided++
        executed.push(block.header.height)
        // Decoding is the executor's work, which is left out here; only the pool that took them must forget them.
        if (core.pool.knownOperations > 0) core.pool.executed(envelopesOf(block.payload))
      },
      readReady: () => {},
      readFailed: () => {},
      fetch: () => {},
      release: () => {},
      validate: () => {},
      hostMessage: () => {},
      accuse: () => {},
      note: () => {},
      dropped: (from, reason) => {
        throw new Error(`a message of replica ${from} was dropped: ${reason}`)
      },
      failed: (cause) => {
        throw cause
      },
    },
  })
  const core: Core<Message, LogRecord> = { id, driver, pool, decided: 0, appended: 0, timers }
  return core
}

/** Decoded as the executor would, because the pool forgets by it. */
function envelopesOf(payload: Uint8Array): Envelope[] {
  const encoded = decode(payloadEnvelopesCodec, payload)
  if (!encoded.ok) throw encoded.error
  return encoded.value.map((bytes) => {
    const envelope = decode(envelopeCodec, bytes)
    if (!envelope.ok) throw envelope.error
    return envelope.value
  })
}

function createEpoch(options: {
  replicas: number
  operationsPerBlock: number
  definition: { name: Epoch['protocol'] }
}): Epoch {
  const defaults = defaultParameters('link')
  return {
    network: new Uint8Array(32),
    number: 1,
    firstHeight: 1,
    protocol: options.definition.name,
    members: Array.from({ length: options.replicas }, (_, index) => ({
      id: replicaId(index + 1),
      name: `replica-${index + 1}`,
      role: 'voter' as const,
      consensusKey: new Uint8Array(32),
      linkKey: new Uint8Array(32),
      addresses: [],
      priority: 0,
    })),
    parameters: { ...defaults, batch: { ...defaults.batch, operationsMax: options.operationsPerBlock } },
  }
}

function createEnvelopes(options: {
  blocks: number
  operationsPerBlock: number
  operationsPerEnvelope: number
  operationBytes: number
}): { encoded: Uint8Array; envelope: Envelope }[] {
  const count = (options.blocks * options.operationsPerBlock) / options.operationsPerEnvelope
  const operations = Array.from({ length: options.operationsPerEnvelope }, () =>
    new Uint8Array(options.operationBytes).fill(7),
  )
  return Array.from({ length: count }, (_, index) => {
    const envelope: Envelope = {
      kind: 'operations',
      client: new Uint8Array(32).fill(1),
      session: { height: 1, index: 0 },
      firstNumber: 1 + index * options.operationsPerEnvelope,
      acknowledgedNumber: 0,
      operations,
      signature: new Uint8Array(0),
    }
    return { encoded: encode(envelopeCodec, envelope), envelope }
  })
}

/** What figures are quoted beside. */
export function yardstick(): { hashMegabytes: number; verifies: number } {
  const signer = nodeEd25519.signer(new Uint8Array(32).fill(9))
  return cpuYardstick({ hasher: nodeHasher, signer, verifier: nodeEd25519 })
}
