/**
 * Commands and queries as bytes: what is written is read, one value has one encoding, and any bytes are either refused or a value. And
 * `validate`, which sees those bytes first: total, and the same on every replica at any time.
 */

import { operationBytesMax } from '../../kernel/limits.ts'
import { createRandom, type Random } from '../../kernel/random.ts'
import type { StateMachineDefinition } from '../../execution/state-machine.ts'
import type { ValueCodec } from '../../execution/value-codec.ts'
import { Fault, messageOf, textOf } from '../finding.ts'
import { Host } from '../host.ts'
import type { PlannedCommand } from '../plan.ts'
import type { EncodedCommand } from '../planned-blocks.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

const damagesPerValue = 3

export function encodeCommands<Command, Query, Result>(
  definition: StateMachineDefinition<Command, Query, Result>,
  commands: readonly PlannedCommand<Command, Query>[],
): EncodedCommand<Command, Query>[] {
  return commands.map((planned, index) => ({
    ...planned,
    bytes: encoded('command', definition.command, planned.command, index + 1),
    encodedQueries: planned.queries.map((query) => encoded('query', definition.query, query, index + 1)),
  }))
}

function encoded<Value>(what: string, codec: ValueCodec<Value>, value: Value, commandsSeen: number): Uint8Array {
  const fault = (explanation: string): Fault => new Fault('codecs', explanation, commandsSeen)
  const bytes = guarded(fault, `encode() of the ${what} ${textOf(value)}`, () => codec.encode(value).slice())
  if (bytes.length > operationBytesMax) {
    throw new Fault('limits', `a ${what} of ${bytes.length} bytes, at most ${operationBytesMax}`, commandsSeen)
  }
  const decoded = guarded(fault, `decode() of the ${what} ${textOf(value)}`, () => codec.decode(bytes))
  if (!decoded.ok) throw fault(`the ${what} codec does not read what it wrote of ${textOf(value)}: ${decoded.reason}`)
  const again = guarded(fault, `encode() of the ${what} ${textOf(decoded.value)}`, () => codec.encode(decoded.value))
  if (!equalBytes(again, bytes)) {
    throw fault(`the ${what} ${textOf(value)} has another encoding once it was read back: one value, one encoding`)
  }
  checkDamaged(what, codec, bytes, fault)
  return bytes
}

/** What a stranger may send. */
function checkDamaged<Value>(
  what: string,
  codec: ValueCodec<Value>,
  bytes: Uint8Array,
  fault: (explanation: string) => Fault,
): void {
  for (const damaged of damages(bytes)) {
    const name = `decode() of the ${what} bytes ${textOf(damaged)}`
    const decoded = guarded(fault, name, () => codec.decode(damaged))
    if (!decoded.ok) continue
    const again = guarded(fault, `encode() of what ${name} gave`, () => codec.encode(decoded.value))
    if (!equalBytes(again, damaged)) {
      throw fault(`${name} accepts what is not the encoding of ${textOf(decoded.value)}: one value, one encoding`)
    }
  }
}

/** Asked on two hosts, and again once the commands have been applied: the same answer each time. */
export class ValidationRule<Command, Query, Result> {
  readonly #definition: StateMachineDefinition<Command, Query, Result>
  readonly #commands: readonly EncodedCommand<Command, Query>[]
  readonly #verdicts: readonly (string | null)[]

  constructor(
    definition: StateMachineDefinition<Command, Query, Result>,
    commands: readonly EncodedCommand<Command, Query>[],
  ) {
    this.#definition = definition
    this.#commands = commands
    this.#verdicts = this.#ask(new Host(1))
    this.#compare(new Host(2), 'differs from replica to replica')
    for (const [index, { bytes }] of commands.entries()) {
      const fault = (explanation: string): Fault => new Fault('validate', explanation, index + 1)
      for (const damaged of damages(bytes)) {
        guarded(fault, `validate() of the bytes ${textOf(damaged)}`, () => definition.validate(damaged))
      }
    }
  }

  get verdicts(): readonly (string | null)[] {
    return this.#verdicts
  }

  /** After machines have run. */
  checkAgain(): void {
    this.#compare(new Host(1), 'changed once commands had been applied: it reads state')
  }

  #compare(host: Host, how: string): void {
    for (const [index, verdict] of this.#ask(host).entries()) {
      if (verdict === this.#verdicts[index]) continue
      const command = textOf(this.#commands[index]!.command)
      const words = `${textOf(this.#verdicts[index])}, then ${textOf(verdict)}`
      throw new Fault('validate', `what validate() says of ${command} ${how} (${words})`, this.#commands.length)
    }
  }

  #ask(host: Host): (string | null)[] {
    return this.#commands.map(({ command, bytes }, index) => {
      const fault = (explanation: string): Fault => new Fault('validate', explanation, index + 1)
      const name = `validate() of ${textOf(command)}`
      const verdict = guarded(fault, name, () => host.run(() => this.#definition.validate(bytes)))
      if (verdict !== null && typeof verdict !== 'string')
        throw fault(`${name} gave ${textOf(verdict)}, not a text or null`)
      return verdict
    })
  }
}

function damages(bytes: Uint8Array): Uint8Array[] {
  const random = createRandom(bytes.join())
  return Array.from({ length: damagesPerValue }, () => damage(bytes, random))
}

function damage(bytes: Uint8Array, random: Random): Uint8Array {
  const place = random.below(bytes.length + 1)
  const tail = bytes.subarray(place)
  switch (random.below(3)) {
    case 0:
      return Uint8Array.of(...bytes.subarray(0, place), random.pick([0, 0x20, 0xff]), ...tail)
    case 1:
      return Uint8Array.of(...bytes.subarray(0, place), ...tail.subarray(1))
    default: {
      const changed = bytes.slice()
      if (place < bytes.length) changed[place]! ^= 1 << random.below(8)
      return changed
    }
  }
}

function guarded<Value>(fault: (explanation: string) => Fault, name: string, work: () => Value): Value {
  try {
    return work()
  } catch (cause) {
    throw fault(`${name} threw: ${messageOf(cause)}`)
  }
}
