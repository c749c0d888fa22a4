/**
 * What an application implements, and what the executor sees of it.
 *
 *   const counter = defineStateMachine({
 *     name: 'counter', version: 1,
 *     command: jsonCodec<{ add: number }>(), query: jsonCodec<null>(), result: jsonCodec<number>(),
 *     create: () => {
 *       let total = 0
 *       return {
 *         apply: ({ add }) => (total += add),
 *         query: () => total,
 *         ...simpleSnapshot(() => encodeTotal(total), (bytes) => { total = decodeTotal(bytes) }),
 *       }
 *     },
 *   })
 *
 * A state machine is deterministic: `apply` reads its state, its command and its context, and nothing else; no clock, no Math.random,
 * no iteration order that depends on more than what was applied. A replica whose machine breaks this diverges, and stops.
 */

import type { PublicKey } from '../kernel/crypto-ports.ts'
import type { Height, TimestampMs } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import type { RestoredChunk, StateChunk } from './state-chunks.ts'
import type { ValueCodec } from './value-codec.ts'

export interface BlockContext {
  readonly height: Height
  /** Agreed time in milliseconds since 1970. It never runs back, and stands still inside a block. */
  readonly timestamp: TimestampMs
}

export interface ApplyContext extends BlockContext {
  /** The operation's place among the results of its block. With the height, its place in the one order. */
  readonly index: number
  /** The key whose session the operation came in. */
  readonly client: PublicKey
  /** The same sequence on every replica, another one for each operation. Whoever proposes the block can foresee it: no lottery. */
  readonly random: Random
}

export interface StateMachine<Command, Query, Result> {
  /** Called once before a block's first operation, also of blocks that have none. What it throws stops the replica. */
  beginBlock?(context: BlockContext): void
  /** Business refusals are results. What it throws undoes the operation if the machine is transactional, and else stops the replica. */
  apply(command: Command, context: ApplyContext): Result
  /** Changes nothing. Throws to refuse a query. */
  query(query: Query): Result
  /**
   * A frozen view of the state, at once: chunks in canonical order, which later changes do not reach, and which may be gone through
   * more than once. That happens bit by bit, while further commands are applied; so this call is what an application pauses for at a
   * checkpoint, and should be short. What the bytes are depends on the state alone, not on how it came to be.
   */
  snapshot(): Iterable<StateChunk>
  /**
   * Called on a fresh machine, with the chunks of a snapshot in their order, which can be gone through once: each is read when it is
   * asked for. The bytes are the machine's: nobody writes into them afterwards. Whoever keeps less than all of a chunk's copies that.
   * Throws on chunks that are none of its own.
   */
  restore(chunks: Iterable<RestoredChunk>): void
}

/** A machine that can undo an operation that failed half-way: `apply` may throw, and all replicas agree on `operation-failed`. */
export interface TransactionalStateMachine<Command, Query, Result> extends StateMachine<Command, Query, Result> {
  readonly transactional: true
  begin(): void
  commit(): void
  rollback(): void
}

export interface StateMachineOptions<Command, Query, Result> {
  /** Part of what a network agrees on: 1 to 64 characters. */
  name: string
  /** Raised when the same commands lead to other results or another state: 1 to 65,535. */
  version: number
  command: ValueCodec<Command>
  query: ValueCodec<Query>
  /** Of commands and of queries. */
  result: ValueCodec<Result>
  /**
   * Null, or why the command is refused. Deterministic, reads no state: every replica asks it before `apply`, and agrees.
   * Default: whatever decodes is valid.
   */
  validate?: (command: Command) => string | null
  /** A machine in its first state. Called again for each restore. */
  create: () => StateMachine<Command, Query, Result> | TransactionalStateMachine<Command, Query, Result>
}

/** A machine as the executor sees it: bytes in, bytes out. What `apply` and `query` throw is the application's. */
export interface ErasedStateMachine {
  readonly transactional: boolean
  beginBlock(context: BlockContext): void
  /** Only commands that `validate` has let through. */
  apply(command: Uint8Array, context: ApplyContext): Uint8Array
  query(query: Uint8Array): Uint8Array
  snapshot(): Iterable<StateChunk>
  restore(chunks: Iterable<RestoredChunk>): void
  begin(): void
  commit(): void
  rollback(): void
}

export interface ErasedStateMachineDefinition {
  readonly name: string
  readonly version: number
  /** Total: null, or why the command is refused. Bytes that are applied next must not change in between: they are decoded once. */
  validate(command: Uint8Array): string | null
  create(): ErasedStateMachine
}

/** The types stay, for the client that encodes commands and reads results. */
export interface StateMachineDefinition<Command, Query, Result> extends ErasedStateMachineDefinition {
  readonly command: ValueCodec<Command>
  readonly query: ValueCodec<Query>
  readonly result: ValueCodec<Result>
}

const nameLengthMax = 64
const versionMax = 0xffff

export function defineStateMachine<Command, Query, Result>(
  options: StateMachineOptions<Command, Query, Result>,
): StateMachineDefinition<Command, Query, Result> {
  const { name, version, command, query, result, validate, create } = options
  if (name.length < 1 || name.length > nameLengthMax) {
    throw new RangeError(`option name is ${JSON.stringify(name)}: it must have 1 to ${nameLengthMax} characters`)
  }
  if (!Number.isInteger(version) || version < 1 || version > versionMax) {
    throw new RangeError(`option version is ${version}: it must be an integer from 1 to ${versionMax}`)
  }
  const validated = new ValidatedCommand<Command>()
  return {
    name,
    version,
    command,
    query,
    result,
    validate: (bytes) => {
      const decoded = command.decode(bytes)
      if (!decoded.ok) return decoded.reason
      const reason = validate === undefined ? null : validate(decoded.value)
      if (reason === null) validated.keep(bytes, decoded.value)
      return reason
    },
    create: () => erase(create(), options, validated),
  }
}

/** The command that was found valid last, for `apply`, which comes next with the same bytes: decoding costs as much as a put itself. */
class ValidatedCommand<Command> {
  #bytes: Uint8Array | null = null
  #command: Command | null = null

  keep(bytes: Uint8Array, command: Command): void {
    this.#bytes = bytes
    this.#command = command
  }

  /** Handed out once: an application may do with it what it likes. */
  take(codec: ValueCodec<Command>, bytes: Uint8Array): Command {
    if (bytes !== this.#bytes) return decoded(codec, bytes)
    const command = this.#command as Command
    this.#bytes = null
    this.#command = null
    return command
  }
}

function erase<Command, Query, Result>(
  machine: StateMachine<Command, Query, Result> | TransactionalStateMachine<Command, Query, Result>,
  codecs: Pick<StateMachineOptions<Command, Query, Result>, 'command' | 'query' | 'result'>,
  validated: ValidatedCommand<Command>,
): ErasedStateMachine {
  const transaction = 'transactional' in machine ? machine : null
  const { command, query, result } = codecs
  return {
    transactional: transaction !== null,
    beginBlock: (context) => machine.beginBlock?.(context),
    apply: (bytes, context) => result.encode(machine.apply(validated.take(command, bytes), context)),
    query: (bytes) => result.encode(machine.query(decoded(query, bytes))),
    snapshot: () => machine.snapshot(),
    restore: (chunks) => machine.restore(chunks),
    begin: () => transaction?.begin(),
    commit: () => transaction?.commit(),
    rollback: () => transaction?.rollback(),
  }
}

function decoded<Value>(codec: ValueCodec<Value>, bytes: Uint8Array): Value {
  const value = codec.decode(bytes)
  if (!value.ok) throw new TypeError(value.reason)
  return value.value
}
