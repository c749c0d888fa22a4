// State transfer may overtake decisions that wait for the disk; and the log is cut only when what replaces the records is durable.

import { describe, expect, it } from 'vitest'
import { emptyPayload, type Block } from '../../../src/kernel/block.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { Epoch } from '../../../src/kernel/membership.ts'
import { defaultParameters } from '../../../src/kernel/parameters.ts'
import type { Effects, ProtocolDefinition, ProtocolPorts } from '../../../src/kernel/protocol.ts'
import { Driver, type DriverHost } from '../../../src/replica/driver/driver.ts'
import { u53 } from '../../../src/wire/codec.ts'

const now = { monotonicMs: 0, wallMs: 0 }
const digest = new Uint8Array(32)

const epoch: Epoch = {
  network: digest,
  number: 1,
  firstHeight: 1,
  protocol: 'raft',
  members: [1, 2, 3].map((id) => ({
    id: replicaId(id),
    name: `replica-${id}`,
    role: 'voter',
    consensusKey: digest,
    linkKey: digest,
    addresses: [],
    priority: 0,
  })),
  parameters: defaultParameters('link'),
}

function block(height: number): Block {
  return { header: { epoch: 1, height, timestamp: 0, payloadDigest: digest }, payload: emptyPayload }
}

function checkpoint(height: number): Checkpoint {
  const { header } = block(height)
  const executed = {
    epoch: 1,
    height,
    parent: digest,
    blockDigest: digest,
    resultsRoot: digest,
    stateRoot: digest,
    time: 0,
  }
  return { header: executed, signatures: [], block: header, proof: { kind: 'raft', term: 1, index: height } }
}

/** A driver whose protocol does nothing by itself: the test speaks through its effects. */
function create() {
  const happened: string[] = []
  let effects: Effects<number, number> | undefined
  let sequence = 0
  const definition: ProtocolDefinition<number, number> = {
    name: 'raft',
    message: u53,
    logRecord: u53,
    create: () => ({
      step: (_input, _now, given) => void (effects = given),
      status: () => {
        throw new Error('nobody asks')
      },
      leadership: () => ({ view: 0, leader: null }),
    }),
    describe: () => '',
    supersedes: () => null,
    verifyDecision: () => true,
  }
  const host: DriverHost = {
    decided: ({ header }) => void happened.push(`decided ${header.height}`),
    release: (below) => void happened.push(`released below ${below}`),
    failed: () => void happened.push('failed'),
    readReady: () => {},
    readFailed: () => {},
    fetch: () => {},
    validate: () => {},
    hostMessage: () => {},
    accuse: () => {},
    note: () => {},
    dropped: () => {},
  }
  const driver = new Driver({
    definition,
    epoch,
    self: replicaId(1),
    ports: {} as ProtocolPorts,
    log: {
      append: () => ++sequence,
      appendSoon: () => ++sequence,
      flush: () => {},
      hurry: () => {},
      read: () => null,
      backedUp: false,
    },
    links: { send: () => {} },
    timers: { arm: () => {}, disarm: () => {} },
    host,
  })
  driver.start({ incarnation: 1, records: [], checkpoint: null, abstains: false }, 0, now)
  return { driver, happened, effects: effects! }
}

describe('state transfer', () => {
  it('drops the decisions that it overtook, and goes on behind the checkpoint', () => {
    const { driver, happened, effects } = create()
    effects.persist(0)
    for (const height of [1, 2]) effects.decide(block(height), { kind: 'raft', term: 1, index: height })
    driver.restored(checkpoint(5), now)
    effects.decide(block(6), { kind: 'raft', term: 1, index: 6 })
    driver.durable(1, now)
    expect(happened).toEqual(['decided 6'])
  })

  it('never goes back: a checkpoint at or below what was decided is a fault of the host', () => {
    const { driver, happened, effects } = create()
    effects.decide(block(1), { kind: 'raft', term: 1, index: 1 })
    driver.restored(checkpoint(1), now)
    expect(happened).toEqual(['decided 1', 'failed'])
  })

  it('releases records only when what was persisted in their place is durable', () => {
    const { driver, happened, effects } = create()
    const kept = effects.persist(0)
    effects.release(kept)
    expect(happened).toEqual([])
    driver.durable(kept, now)
    expect(happened).toEqual([`released below ${kept}`])
  })
})
