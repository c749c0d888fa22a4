// Goal: an adversary does what it should, no more of them are there than the protocol survives, and whoever is correct stays so.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/kernel/random.ts'
import { replicaId } from '../../src/kernel/ids.ts'
import type { Effects, Protocol, ProtocolDefinition } from '../../src/kernel/protocol.ts'
import { encode, u8 } from '../../src/wire/codec.ts'
import { adversarial } from '../../src/simulator/adversaries/adversarial.ts'
import type { Attack } from '../../src/simulator/adversaries/behaviour.ts'
import { counted } from '../../src/simulator/adversaries/counted.ts'
import { framesOf } from '../../src/simulator/adversaries/link.ts'
import { hotstuffBehaviours, pbftBehaviours } from '../../src/simulator/adversaries/table.ts'
import { Cast } from '../../src/simulator/cast.ts'
import type { Coverage, SimulationOptions } from '../../src/simulator/report.ts'
import { createSimulatedSuite, simulatedHasher } from '../../src/simulator/simulated-suite.ts'
import { channel, frameCodec } from '../../src/replica/driver/frame.ts'
import { epochOf } from './epochs.ts'

const behavioursOf = { raft: [], pbft: pbftBehaviours, hotstuff: hotstuffBehaviours } as const
const options: SimulationOptions = { protocol: 'pbft', replicas: 7, faults: 'all', seed: 1 }

function cast(changes: Partial<SimulationOptions>, seed: number = 1): { cast: Cast<never>; liars: number[] } {
  const coverage: Coverage = {}
  const asked = { ...options, ...changes }
  const made = new Cast<never>({
    options: asked,
    epoch: epochOf(asked.protocol, asked.replicas),
    behaviours: behavioursOf[asked.protocol] as never,
    message: u8 as never,
    random: createRandom(seed),
    suite: createSimulatedSuite(),
    hasher: simulatedHasher,
    coverage,
  })
  const ids = Array.from({ length: asked.replicas }, (_, index) => index + 1)
  return { cast: made, liars: ids.filter((id) => made.has(replicaId(id))) }
}

describe('who lies', () => {
  it('is drawn, from nobody to as many as are survived', () => {
    const counts = new Set(Array.from({ length: 50 }, (_, seed) => cast({}, seed).liars.length))
    expect([...counts].sort()).toEqual([0, 1, 2])
  })

  it('is nobody where no faults are asked for, and nobody in a network that crashes only', () => {
    for (let seed = 0; seed < 20; seed++) {
      expect(cast({ faults: 'none' }, seed).liars).toEqual([])
      expect(cast({ protocol: 'raft' }, seed).liars).toEqual([])
    }
  })

  it('is as many as are asked for, one at least where a behaviour is', () => {
    for (let seed = 0; seed < 20; seed++) {
      expect(cast({ adversaries: 2 }, seed).liars.length).toBe(2)
      const { cast: made, liars } = cast({ faults: 'none', behaviour: 'silent' }, seed)
      expect(liars.length).toBeGreaterThan(0)
      expect(made.words.every((words) => words.endsWith(': silent'))).toBe(true)
    }
  })

  it('is never more than are survived, nor of a behaviour that there is not', () => {
    expect(() => cast({ adversaries: 3 })).toThrow(/survive 2 adversaries, not 3/)
    expect(() => cast({ protocol: 'raft', adversaries: 1 })).toThrow(/survive 0/)
    expect(() => cast({ behaviour: 'polite' })).toThrow(/no behaviour polite/)
  })

  it.each(['pbft', 'hotstuff'] as const)('has a name of its own for each way to do so (%s)', (protocol) => {
    const names = behavioursOf[protocol].map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  it('is a neighbour where turns shall follow each other, and lies as its neighbour does', () => {
    const asked = { protocol: 'hotstuff', adversaries: 2 } as const
    for (let seed = 0; seed < 20; seed++) {
      const { liars } = cast({ ...asked, behaviour: 'silent-leaders' }, seed)
      expect([1, 6]).toContain(liars[1]! - liars[0]!)
    }
    // Drawn among all behaviours, one may come after another, and takes nobody's place.
    const mixed = Array.from({ length: 300 }, (_, seed) => cast(asked, seed).cast.words.map((words) => words.slice(11)))
    const first = mixed.filter(([one]) => one === 'silent-leaders')
    expect(first.length).toBeGreaterThan(0)
    expect(first.every(([, other]) => other === 'silent-leaders')).toBe(true)
    expect(mixed.some(([one, other]) => one !== 'silent-leaders' && other === 'silent-leaders')).toBe(true)
    for (let seed = 0; seed < 1000; seed++) {
      expect(cast({ ...asked, replicas: 10, adversaries: 3 }, seed).liars.length).toBe(3)
    }
  })
})

interface Step {
  sent: [number, number][]
  armed: [string, number][]
}

/** A protocol that repeats what it hears to all, and counts the records that it is given. */
const parrot: ProtocolDefinition<number, number> = {
  name: 'pbft',
  message: u8,
  logRecord: u8,
  create: (): Protocol<number, number> => ({
    step(input, _now, effects) {
      if (input.kind === 'message') effects.broadcast(input.message)
      if (input.kind === 'start') effects.broadcast([...input.recovered.records].length)
    },
    status: () => ({}) as never,
    leadership: () => ({ view: 0, leader: null }),
    payload: () => Uint8Array.of(1, 2),
  }),
  describe: () => '',
  supersedes: () => null,
  verifyDecision: () => true,
}

function wrapped(attack: Attack<number>): {
  protocol: Protocol<number, number>
  done: Step
  effects: Effects<number, number>
} {
  const done: Step = { sent: [], armed: [] }
  const effects = {
    send: (to: number, message: number) => void done.sent.push([to, message]),
    broadcast: (message: number) => void done.sent.push([0, message]),
    arm: (name: string, afterMs: number) => void done.armed.push([name, afterMs]),
  } as unknown as Effects<number, number>
  const protocol = adversarial(parrot, attack).create({
    epoch: epochOf('pbft', 4),
    self: replicaId(1),
    ports: {} as never,
  })
  return { protocol, done, effects }
}

const at = (monotonicMs: number) => ({ monotonicMs, wallMs: 0 })
const heard = (message: number) => ({ kind: 'message', from: replicaId(2), message }) as const
const started = (records: number[]) => {
  const recovered = { incarnation: 1, checkpoint: null, abstains: false }
  const numbered = records.map((record, index) => ({ sequence: index + 1, record }))
  return { kind: 'start', recovered: { ...recovered, records: numbered } } as const
}

describe('a replica that lies', () => {
  it('says to each other one what its attack posts in the place of a message', () => {
    const { protocol, done, effects } = wrapped({
      send: (message, to, post) => {
        if (to !== 3) post(to, message + to)
      },
    })
    protocol.step(heard(10), at(0), effects)
    expect(done.sent).toEqual([
      [2, 12],
      [4, 14],
    ])
  })

  it('is a correct one where its attack says nothing', () => {
    const { protocol, done, effects } = wrapped({})
    protocol.step(started([7, 8]), at(0), effects)
    protocol.step(heard(10), at(0), effects)
    expect(done).toEqual({
      sent: [
        [0, 2],
        [0, 10],
      ],
      armed: [],
    })
  })

  it('holds messages back as long as it likes, and sends each once', () => {
    const { protocol, done, effects } = wrapped({ send: (message, to, post) => post(to, message, 10 * to) })
    protocol.step(heard(5), at(100), effects)
    expect(done.sent).toEqual([])
    expect(done.armed.at(-1)).toEqual(['adversary:delay', 20])
    protocol.step({ kind: 'timer', name: 'adversary:delay' }, at(131), effects)
    expect(done.sent).toEqual([
      [2, 5],
      [3, 5],
    ])
    protocol.step({ kind: 'timer', name: 'adversary:delay' }, at(140), effects)
    expect(done.sent.slice(2)).toEqual([[4, 5]])
  })

  it('does not see what its attack keeps from it, forgets what it promised, and speaks unasked', () => {
    const { protocol, done, effects } = wrapped({
      receive: (message) => message !== 9,
      forgets: true,
      tickMs: 70,
      tick: (post) => post(replicaId(4), 99),
    })
    protocol.step(started([7, 8]), at(0), effects)
    protocol.step(heard(9), at(0), effects)
    expect(done.armed).toEqual([['adversary:tick', 70]])
    protocol.step({ kind: 'timer', name: 'adversary:tick' }, at(70), effects)
    expect(done.sent).toEqual([
      [0, 0],
      [4, 99],
    ])
    expect(done.armed.length).toBe(2)
  })

  it('hands out other payloads than it has', () => {
    const { protocol } = wrapped({ payload: (payload) => payload?.map((byte) => byte + 1) ?? null })
    expect(protocol.payload!(new Uint8Array(32))).toEqual(Uint8Array.of(2, 3))
  })
})

describe('what is counted as a lie', () => {
  const [two, three] = [replicaId(2), replicaId(3)]
  const ignore = (): void => {}
  const liesOf = (attack: Attack<number>, act: (attack: Attack<number>) => unknown): number => {
    let lies = 0
    act(counted(attack, u8, () => void lies++))
    return lies
  }
  const sent = (send: NonNullable<Attack<number>['send']>): number =>
    liesOf({ send }, (attack) => attack.send!(7, two, ignore))

  it('is a message that is another, late, missing, repeated or for somebody else', () => {
    expect(sent((message, to, post) => post(to, message))).toBe(0)
    expect(sent((message, to, post) => post(to, message + 1))).toBe(1)
    expect(sent((message, to, post) => post(to, message, 5))).toBe(1)
    expect(sent(() => {})).toBe(1)
    expect(sent((message, _to, post) => post(three, message))).toBe(1)
    expect(sent((message, to, post) => [1, 2, 3].forEach(() => post(to, message)))).toBe(2)
  })

  it('is what is said unasked, and what is not heard', () => {
    expect(liesOf({ tick: (post) => post(two, 1) }, (attack) => attack.tick!(ignore))).toBe(1)
    expect(liesOf({ receive: () => false }, (attack) => attack.receive!(1, two, ignore))).toBe(1)
    expect(liesOf({ receive: () => true }, (attack) => attack.receive!(1, two, ignore))).toBe(0)
    const answering: Attack<number> = {
      receive: (message, from, post) => {
        post(from, message)
        return true
      },
    }
    expect(liesOf(answering, (attack) => attack.receive!(1, two, ignore))).toBe(1)
  })

  it('is an item, a frame or an answer that is not what it was', () => {
    const bytes = Uint8Array.of(1)
    const item = { channel: channel.checkpoint, body: bytes }
    const same: Attack<number> = {
      hostItem: (given) => [given],
      frame: (given) => [given],
      reply: (given) => given,
      payload: (given) => given,
      decided: (blocks) => [...blocks],
    }
    const other: Attack<number> = {
      hostItem: () => [],
      frame: (given) => [given, given],
      reply: () => null,
      payload: () => null,
      decided: (blocks) => blocks.slice(1),
    }
    const ways: ((attack: Attack<number>) => unknown)[] = [
      (attack) => attack.hostItem!(item, two),
      (attack) => attack.frame!(bytes, two),
      (attack) => attack.reply!(bytes),
      (attack) => attack.payload!(bytes),
      (attack) => attack.decided!([{} as never]),
    ]
    expect(ways.map((way) => liesOf(same, way))).toEqual([0, 0, 0, 0, 0])
    expect(ways.map((way) => liesOf(other, way))).toEqual([1, 1, 1, 1, 1])
  })
})

describe('the link of a replica that lies', () => {
  const item = (number: number) => ({ channel: number, body: Uint8Array.of(number) })
  const frame = encode(frameCodec, { epoch: 1, items: [item(channel.protocol), item(channel.checkpoint)] })

  it('changes what the host says, and lets the protocol speak for itself', () => {
    const attack: Attack<number> = { hostItem: (given) => [{ ...given, body: Uint8Array.of(42) }] }
    const expected = {
      epoch: 1,
      items: [item(channel.protocol), { channel: channel.checkpoint, body: Uint8Array.of(42) }],
    }
    expect(framesOf(attack, replicaId(2), frame)).toEqual([encode(frameCodec, expected)])
  })

  it('says nothing where nothing is left, and anything where its attack says so', () => {
    const only = encode(frameCodec, { epoch: 1, items: [item(channel.checkpoint)] })
    expect(framesOf({ hostItem: () => [] }, replicaId(2), only)).toEqual([])
    expect(framesOf({ frame: (bytes) => [bytes, bytes] }, replicaId(2), frame)).toEqual([frame, frame])
  })
})
