// The loop around a protocol: what it lets in, what it lets out, and that it fails once and for good.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { Effects, Input, ProtocolDefinition } from '../../../src/kernel/protocol.ts'
import {
  Driver,
  effectsWaitingFatal,
  effectsWaitingMax,
  soonMs,
  type DriverOptions,
} from '../../../src/replica/driver/driver.ts'
import { channel, frameCodec, type HostChannel } from '../../../src/replica/driver/frame.ts'
import { decode, encode, u8, type Codec } from '../../../src/wire/codec.ts'
import { blockOf } from '../../execution/fixtures.ts'

const now = { monotonicMs: 1, wallMs: 1 }
const proof = { kind: 'raft', term: 1, index: 1 } as const
type Step = (effects: Effects<number, number>, input: Input<number, number>) => void

function bench() {
  const seen: string[] = []
  const log = {
    backedUp: false,
    sequence: 0,
    append: () => ++log.sequence,
    appendSoon: () => ++log.sequence,
    flush: () => void seen.push('flush'),
    hurry: () => void seen.push('hurry'),
  }
  const timers = { arm: (name: string, afterMs: number) => seen.push(`arm ${name} ${afterMs}`) }
  let encoded = 0
  const message: Codec<number> = { ...u8, write: (writer, value) => (encoded++, u8.write(writer, value)) }
  let next: Step = () => {}
  const step = (input: Input<number, number>, _: unknown, effects: Effects<number, number>): void => {
    if (input.kind === 'message') seen.push(`message ${input.message} from ${input.from}`)
    next(effects, input)
  }
  const definition = { message, logRecord: u8, create: () => ({ step }) } as unknown as ProtocolDefinition<
    number,
    number
  >
  const host = {
    dropped: (from: number, reason: string) => seen.push(`dropped ${from} ${reason}`),
    decided: (block: { header: { height: number } }) => seen.push(`decided ${block.header.height}`),
    release: (below: number) => seen.push(`release below ${below}`),
    hostMessage: (from: number, through: number) => seen.push(`host message from ${from} through ${through}`),
    failed: (cause: unknown) => seen.push(`failed ${(cause as Error).message}`),
  }
  const links = {
    send: (to: number, bytes: Uint8Array) => {
      const frame = decode(frameCodec, bytes)
      seen.push(`frame to ${to}: ${frame.ok && frame.value.items.map((item) => item.body.join())}`)
    },
  }
  const members = [1, 2, 3].map((id) => ({ id, role: 'voter' }))
  const epoch = { number: 5, firstHeight: 1, protocol: 'raft', members }
  const options = { definition, epoch, self: 1, ports: {}, log, links, timers, host }
  const driver = new Driver(options as unknown as DriverOptions<number, number>)
  driver.start({ incarnation: 1, records: [], checkpoint: null, abstains: false }, 0, now)
  const does = (todo: Step): void => {
    next = todo
    driver.input({ kind: 'requests' }, now)
    next = () => {}
  }
  const receive = (from: number, bytes: Uint8Array): void => driver.frame(replicaId(from), bytes, now)
  return { driver, log, does, receive, encodings: () => encoded, taken: () => seen.splice(0) }
}

const frame = (epoch: number, ...bodies: number[][]): Uint8Array =>
  encode(frameCodec, { epoch, items: bodies.map((body) => ({ channel: 1, body: Uint8Array.from(body) })) })

const hostFrame = (through: HostChannel): Uint8Array =>
  encode(frameCodec, { epoch: 5, items: [{ channel: through, body: new Uint8Array(0) }] })

describe('what comes in', () => {
  it('reaches the protocol, or is dropped for its reason', () => {
    const { log, receive, taken } = bench()
    receive(2, frame(5, [7], [8, 8], [9]))
    expect(taken()).toEqual(['message 7 from 2', 'dropped 2 malformed-message', 'message 9 from 2'])
    receive(2, frame(4, [7]))
    receive(2, Uint8Array.of(1))
    receive(4, frame(5, [7]))
    receive(1, frame(5, [7]))
    log.backedUp = true
    receive(2, frame(5, [7]))
    const reasons = ['2 wrong-epoch', '2 malformed-frame', '4 not-a-member', '1 not-a-member', '2 log-backed-up']
    expect(taken()).toEqual(reasons.map((reason) => `dropped ${reason}`))
  })
})

describe('what goes out', () => {
  it('is one frame for each peer and turn, after the disk was started; a broadcast is encoded once', () => {
    const { driver, does, encodings, taken } = bench()
    does((effects) => effects.broadcast(1))
    expect(encodings()).toBe(1)
    does((effects) => effects.send(replicaId(3), 2))
    expect(taken()).toEqual([])
    driver.endTurn()
    expect(taken()).toEqual(['flush', 'frame to 2: 1', 'frame to 3: 1,2'])
    driver.endTurn()
    expect(taken()).toEqual(['flush'])
  })

  it('waits for what was persisted before it, in order', () => {
    const { driver, does, taken } = bench()
    does((effects) => {
      effects.persist(1)
      effects.send(replicaId(2), 1)
      effects.persist(2)
      effects.decide(blockOf(1, []), proof)
      effects.send(replicaId(2), 2)
    })
    driver.endTurn()
    expect(taken()).toEqual(['flush'])
    driver.durable(1, now)
    driver.endTurn()
    expect(taken()).toEqual(['flush', 'frame to 2: 1'])
    driver.durable(2, now)
    driver.endTurn()
    expect(taken()).toEqual(['decided 1', 'flush', 'frame to 2: 2'])
  })
})

describe('what is persisted soon', () => {
  it('holds nothing back but a release, and is hurried when its time has come, once for all', () => {
    const { driver, does, taken } = bench()
    does((effects) => {
      effects.persistSoon(1)
      effects.persistSoon(2)
      effects.decide(blockOf(1, []), proof)
    })
    expect(taken()).toEqual([`arm driver:soon ${soonMs}`, 'decided 1'])
    driver.timer('driver:soon', now)
    expect(taken()).toEqual(['hurry'])
    does((effects) => {
      effects.persistSoon(3)
      effects.release(3)
    })
    expect(taken()).toEqual([`arm driver:soon ${soonMs}`, 'hurry'])
    driver.durable(2, now)
    expect(taken()).toEqual([])
    driver.durable(3, now)
    expect(taken()).toEqual(['release below 3'])
  })

  it('is hurried at once where more waits than the log wants to hold', () => {
    const { log, does, taken } = bench()
    log.backedUp = true
    does((effects) => effects.persistSoon(1))
    expect(taken()).toEqual(['hurry'])
  })
})

describe('what the host says', () => {
  it('waits for the disk where it promises something, behind what waits already; the rest leaves at once', () => {
    const { driver, does, taken } = bench()
    const say = (through: HostChannel, byte: number): void =>
      driver.sendHostMessage(replicaId(2), through, Uint8Array.of(byte))
    does((effects) => {
      effects.persist(1)
      effects.send(replicaId(2), 1)
    })
    say(channel.checkpoint, 2)
    say(channel.forward, 3)
    say(channel.state, 4)
    driver.endTurn()
    expect(taken()).toEqual(['flush', 'frame to 2: 3,4'])
    does((effects) => effects.persist(2))
    driver.broadcastHostMessage(channel.checkpoint, Uint8Array.of(5))
    driver.durable(1, now)
    driver.endTurn()
    expect(taken()).toEqual(['flush', 'frame to 2: 1,2'])
    driver.durable(2, now)
    driver.endTurn()
    expect(taken()).toEqual(['flush', 'frame to 2: 5', 'frame to 3: 5'])
    // With nothing to wait for it leaves with its turn, and of a replica that has failed nothing leaves.
    say(channel.checkpoint, 6)
    driver.endTurn()
    expect(taken()).toEqual(['flush', 'frame to 2: 6'])
    does((effects) => effects.persist(3))
    say(channel.checkpoint, 7)
    driver.fail(new Error('bug'))
    driver.durable(3, now)
    driver.endTurn()
    expect(taken()).toEqual(['failed bug'])
  })

  it('waits for what is persisted soon too, where it promises something, and hurries it', () => {
    const { driver, does, taken } = bench()
    does((effects) => {
      effects.persistSoon(1)
      effects.send(replicaId(2), 1)
    })
    driver.sendHostMessage(replicaId(2), channel.checkpoint, Uint8Array.of(2))
    does((effects) => effects.send(replicaId(2), 3))
    driver.endTurn()
    expect(taken()).toEqual([`arm driver:soon ${soonMs}`, 'hurry', 'flush', 'frame to 2: 1'])
    driver.durable(1, now)
    driver.endTurn()
    expect(taken()).toEqual(['flush', 'frame to 2: 2,3'])
    driver.sendHostMessage(replicaId(2), channel.checkpoint, Uint8Array.of(4))
    driver.endTurn()
    expect(taken()).toEqual(['flush', 'frame to 2: 4'])
  })

  it('costs no memory while the disk hangs: what would be answered there is dropped', () => {
    const { does, receive, taken } = bench()
    does((effects) => {
      effects.persist(1)
      for (let effect = 0; effect < effectsWaitingMax; effect++) effects.send(replicaId(2), 1)
    })
    receive(2, hostFrame(channel.checkpoint))
    receive(2, hostFrame(channel.state))
    expect(taken()).toEqual(['dropped 2 log-backed-up', `host message from 2 through ${channel.state}`])
  })
})

describe('a failure', () => {
  it.each<[string, Step, string]>([
    [
      'a gap in what is decided',
      (effects) => effects.decide(blockOf(2, []), proof),
      'failed decided height 2 behind 0',
    ],
    [
      'a step that throws',
      () => {
        throw new Error('bug')
      },
      'failed bug',
    ],
  ])('is for good, is told once, and nothing is sent afterwards: %s', (_name, fault, told) => {
    const { driver, does, receive, taken } = bench()
    does((effects) => effects.broadcast(1))
    does(fault)
    does(fault)
    does((effects) => effects.broadcast(2))
    receive(2, frame(5, [7]))
    driver.durable(1, now)
    driver.endTurn()
    expect(driver.failed).toBe(true)
    expect(taken()).toEqual([told])
  })
})

describe('a disk that hangs', () => {
  it('first costs what others send, and in the end the replica, but never unbounded memory', () => {
    const { does, receive, taken } = bench()
    const wait = (count: number): void =>
      does((effects) => {
        effects.persist(1)
        for (let effect = 0; effect < count; effect++) effects.send(replicaId(2), 1)
      })
    wait(effectsWaitingMax - 1)
    receive(2, frame(5, [7]))
    wait(1)
    receive(2, frame(5, [8]))
    expect(taken()).toEqual(['message 7 from 2', 'dropped 2 log-backed-up'])
    wait(effectsWaitingFatal)
    expect(taken()).toEqual([expect.stringContaining('failed')])
  })
})
