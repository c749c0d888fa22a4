// A definition whose replicas lie: the correct protocol inside, and around it an attack that sees each input and changes what leaves.

import type { Digest } from '../../kernel/crypto-ports.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { membershipOf } from '../../kernel/membership.ts'
import type { Block } from '../../kernel/block.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type {
  Effects,
  Input,
  Leadership,
  Now,
  Protocol,
  ProtocolDefinition,
  ProtocolStatus,
} from '../../kernel/protocol.ts'
import type { Attack } from './behaviour.ts'

/** Beside the protocol's own timers, whose names it cannot meet: those have no colon. */
const tickTimer = 'adversary:tick'
const delayTimer = 'adversary:delay'
/** Held back at once: beyond that the oldest leave early. */
const heldMax = 2000

export function adversarial<Message, LogRecord>(
  definition: ProtocolDefinition<Message, LogRecord>,
  attack: Attack<Message>,
): ProtocolDefinition<Message, LogRecord> {
  return {
    ...definition,
    create: (options) => {
      const others = membershipOf(options.epoch).all.filter((other) => other !== options.self)
      return new Adversary(definition.create(options), attack, others)
    },
  }
}

interface Held<Message> {
  readonly dueMs: number
  readonly to: ReplicaId
  readonly message: Message
}

class Adversary<Message, LogRecord> implements Protocol<Message, LogRecord> {
  readonly #inner: Protocol<Message, LogRecord>
  readonly #attack: Attack<Message>
  readonly #others: readonly ReplicaId[]
  #held: Held<Message>[] = []

  constructor(inner: Protocol<Message, LogRecord>, attack: Attack<Message>, others: readonly ReplicaId[]) {
    this.#inner = inner
    this.#attack = attack
    this.#others = others
  }

  leadership(): Leadership {
    return this.#inner.leadership()
  }

  status(now: Now): ProtocolStatus {
    return this.#inner.status(now)
  }

  payload(digest: Digest): Uint8Array | null {
    const payload = this.#inner.payload?.(digest) ?? null
    return this.#attack.payload === undefined ? payload : this.#attack.payload(payload)
  }

  decided(fromHeight: Height, bytesMax: number): { block: Block; proof: DecisionProof }[] {
    const blocks = this.#inner.decided?.(fromHeight, bytesMax) ?? []
    return this.#attack.decided === undefined ? blocks : this.#attack.decided(blocks)
  }

  step(input: Input<Message, LogRecord>, now: Now, effects: Effects<Message, LogRecord>): void {
    const post = (to: ReplicaId, message: Message, afterMs: number = 0): void => {
      if (afterMs <= 0) effects.send(to, message)
      else this.#hold({ dueMs: now.monotonicMs + afterMs, to, message }, now, effects)
    }
    if (input.kind === 'timer' && input.name === delayTimer) return this.#releaseDue(now, effects)
    if (input.kind === 'timer' && input.name === tickTimer) {
      this.#attack.tick?.(post)
      return this.#armTick(effects)
    }
    if (input.kind === 'start') this.#armTick(effects)
    if (input.kind === 'message' && this.#attack.receive?.(input.message, input.from, post) === false) return
    this.#inner.step(this.#remembered(input), now, this.#lying(effects, post))
  }

  #armTick(effects: Effects<Message, LogRecord>): void {
    if (this.#attack.tick !== undefined) effects.arm(tickTimer, this.#attack.tickMs ?? 100)
  }

  #remembered(input: Input<Message, LogRecord>): Input<Message, LogRecord> {
    if (input.kind !== 'start' || this.#attack.forgets !== true) return input
    return { kind: 'start', recovered: { ...input.recovered, records: [] } }
  }

  #lying(
    effects: Effects<Message, LogRecord>,
    post: (to: ReplicaId, message: Message, afterMs?: number) => void,
  ): Effects<Message, LogRecord> {
    const attack = this.#attack
    if (attack.send === undefined) return effects
    return {
      ...effects,
      send: (to, message) => attack.send!(message, to, post),
      broadcast: (message) => {
        for (const to of this.#others) attack.send!(message, to, post)
      },
    }
  }

  #hold(held: Held<Message>, now: Now, effects: Effects<Message, LogRecord>): void {
    this.#held.push(held)
    if (this.#held.length > heldMax) {
      const { to, message } = this.#held.shift()!
      effects.send(to, message)
    }
    this.#armDelay(now, effects)
  }

  #releaseDue(now: Now, effects: Effects<Message, LogRecord>): void {
    const due = this.#held.filter(({ dueMs }) => dueMs <= now.monotonicMs)
    this.#held = this.#held.filter(({ dueMs }) => dueMs > now.monotonicMs)
    for (const { to, message } of due) effects.send(to, message)
    this.#armDelay(now, effects)
  }

  #armDelay(now: Now, effects: Effects<Message, LogRecord>): void {
    if (this.#held.length === 0) return
    const dueMs = this.#held.reduce((least, held) => Math.min(least, held.dueMs), Infinity)
    effects.arm(delayTimer, Math.max(1, dueMs - now.monotonicMs))
  }
}
