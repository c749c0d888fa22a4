// A real replica that lies when it is woken: until then it does what a correct one would, and may come to lead.

import type { Signer } from '../../kernel/crypto-ports.ts'
import { membershipOf, type Epoch, type Member } from '../../kernel/membership.ts'
import type { ProtocolDefinition } from '../../kernel/protocol.ts'
import { createRandom } from '../../kernel/random.ts'
import { portableHasher } from '../../crypto/portable/sha256-hasher.ts'
import { definitionOf } from '../../replica/protocols.ts'
import type { Outgoing } from '../../replica/running-replica-options.ts'
import { adversarial } from '../../simulator/adversaries/adversarial.ts'
import type { Attack } from '../../simulator/adversaries/behaviour.ts'
import { framesOf } from '../../simulator/adversaries/link.ts'
import { lieNamed } from './lies.ts'

export interface SleepingLiarOptions {
  epoch: Epoch
  self: Member
  signer: Signer
  /** One of lies.ts. */
  behaviour: string
  seed: string
}

export interface SleepingLiar {
  definition: ProtocolDefinition<unknown, unknown>
  outgoing: Outgoing
  wake(): void
}

export function sleepingLiar(options: SleepingLiarOptions): SleepingLiar {
  let isAwake = false
  const attack = dormant(attackOf(options), () => isAwake)
  const honest = definitionOf(options.epoch.protocol)
  return {
    definition: adversarial(honest, attack) as ProtocolDefinition<unknown, unknown>,
    outgoing: outgoingOf(attack),
    wake: () => (isAwake = true),
  }
}

function attackOf({ epoch, self, signer, behaviour, seed }: SleepingLiarOptions): Attack<unknown> {
  const membership = membershipOf(epoch)
  return lieNamed(epoch.protocol, behaviour).create({
    self: self.id,
    epoch,
    membership,
    others: membership.all.filter((id) => id !== self.id),
    signer,
    hasher: portableHasher,
    random: createRandom(`${behaviour} ${seed}`),
  })
}

/** The same, and honest until it is woken. What it forgets it forgets when it starts. */
function dormant(lies: Attack<unknown>, isAwake: () => boolean): Attack<unknown> {
  const { send, receive, tick, hostItem, frame, reply, payload, decided } = lies
  return {
    ...lies,
    ...(send && { send: (message, to, post) => (isAwake() ? send.call(lies, message, to, post) : post(to, message)) }),
    ...(receive && { receive: (message, from, post) => !isAwake() || receive.call(lies, message, from, post) }),
    ...(tick && { tick: (post) => isAwake() && tick.call(lies, post) }),
    ...(hostItem && { hostItem: (item, to) => (isAwake() ? hostItem.call(lies, item, to) : [item]) }),
    ...(frame && { frame: (bytes, to) => (isAwake() ? frame.call(lies, bytes, to) : [bytes]) }),
    ...(reply && { reply: (bytes) => (isAwake() ? reply.call(lies, bytes) : bytes) }),
    ...(payload && { payload: (bytes) => (isAwake() ? payload.call(lies, bytes) : bytes) }),
    ...(decided && { decided: (blocks) => (isAwake() ? decided.call(lies, blocks) : blocks) }),
  } as Attack<unknown>
}

function outgoingOf(lies: Attack<unknown>): Outgoing {
  return {
    frame: (bytes, to) => framesOf(lies, to, bytes),
    reply: (bytes) => [lies.reply === undefined ? bytes : lies.reply(bytes)].filter((one) => one !== null),
  }
}
