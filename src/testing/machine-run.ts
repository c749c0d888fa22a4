/**
 * One machine under the real executor, on a host of its own. It writes down what the world sees of each block: results, executed
 * header, snapshot. What the machine does wrong by itself, without a twin to compare it with, is a fault here.
 */

import type { PublicKey } from '../kernel/crypto-ports.ts'
import type { ExecutedHeader } from '../kernel/executed-header.ts'
import type { Height } from '../kernel/ids.ts'
import { resultBytesMax } from '../kernel/limits.ts'
import { Executor } from '../execution/executor.ts'
import { ExecutionHaltedError } from '../execution/halt.ts'
import type {
  ApplyContext,
  BlockContext,
  ErasedStateMachine,
  StateMachineDefinition,
} from '../execution/state-machine.ts'
import type { StateChunk } from '../execution/state-chunks.ts'
import type { PartChunk, RestoredPartChunk } from '../execution/state-parts.ts'
import { simulatedHasher } from '../simulator/simulated-suite.ts'
import { Fault, messageOf, textOf, type Rule } from './finding.ts'
import { Host } from './host.ts'
import type { PlannedBlock } from './planned-blocks.ts'
import { equalBytes } from '../wire/equal-bytes.ts'

export interface KeptChunk {
  readonly id: string
  readonly version: number
  /** A copy, made when the snapshot was taken. */
  readonly bytes: Uint8Array
}

export interface ExecutedRecord {
  readonly header: ExecutedHeader
  /** Encoded outcomes, one for each command of the block. */
  readonly outcomes: readonly Uint8Array[]
  /** Where the block is a checkpoint: the whole state as it would be sent, and the application's part of it. */
  readonly state: readonly RestoredPartChunk[] | null
}

/** A view of the machine that somebody holds, and what it said at first. */
interface HeldView {
  readonly height: number
  readonly chunks: readonly StateChunk[]
  readonly bytes: readonly Uint8Array[]
}

const heldViewsMax = 8

export class MachineRun<Command, Query, Result> {
  readonly host: Host
  readonly #definition: StateMachineDefinition<Command, Query, Result>
  readonly #executor: Executor
  readonly #held: HeldView[] = []
  readonly #hostNumber: number
  #versions = new Map<string, KeptChunk>()
  /** The machine that the executor works with now. */
  #machine: ErasedStateMachine | null = null
  #fault: { rule: Rule; explanation: string } | null = null
  #commandsSeen = 0

  constructor(
    definition: StateMachineDefinition<Command, Query, Result>,
    intervalHeights: number,
    clients: readonly PublicKey[],
    hostNumber: number,
  ) {
    this.#definition = definition
    this.host = new Host(hostNumber)
    this.#hostNumber = hostNumber
    const sessions = {
      repliesKept: 1024,
      lifetimeHeights: 1_000_000,
      perClientMax: 1,
      totalMax: Math.max(1, clients.length),
    }
    const machine = { ...definition, create: () => this.#create() }
    const options = { machine, hasher: simulatedHasher, epoch: 1, sessions, checkpoints: { intervalHeights } }
    this.#executor = this.#guarded('apply', 'create()', () => new Executor(options))
  }

  get machine(): ErasedStateMachine {
    return this.#machine!
  }

  /** `keepsOwnChunks`: look at each checkpoint's chunks at once, and at older ones again. */
  execute(planned: PlannedBlock<Command, Query>, keepsOwnChunks: boolean): ExecutedRecord {
    const { block, commands } = planned
    this.#commandsSeen = planned.commandsBefore + commands.length
    const copy = { header: block.header, payload: block.payload.slice() }
    const executed = this.#guarded('chunks', 'snapshot()', () => this.#executor.execute(copy))
    const header = this.#guarded('chunks', 'bytes()', () => this.#finishedHeader())
    this.#throwFault()
    // What a machine keeps of its command, it copies: the buffer is somebody else's next.
    copy.payload.fill(this.#hostNumber)
    const outcomes = commands.length === 0 ? [] : executed.replies.map(({ outcome }) => outcome)
    const state = header.stateRoot === null ? null : this.#keepState(header.height, keepsOwnChunks)
    return { header, outcomes, state }
  }

  /** The view of the checkpoint before must be gone through first. */
  get awaitsView(): boolean {
    return !this.#executor.mayExecute
  }

  /** Executes, and leaves a checkpoint's view for `finishView`, as a replica does that has little time. */
  executeOnly({ block, commands, commandsBefore }: PlannedBlock<Command, Query>): void {
    this.#commandsSeen = commandsBefore + commands.length
    this.#guarded('late-snapshot', 'snapshot()', () => this.#executor.execute(block))
    this.#throwFault()
  }

  /** Goes through the view of the newest checkpoint, if there is one: what was executed since must not show in it. */
  finishView(): { height: Height; chunks: RestoredPartChunk[] } | null {
    this.#guarded('late-snapshot', 'the view of an earlier height', () => this.#finishedHeader())
    const checkpoint = this.#executor.checkpoint
    if (checkpoint === null) return null
    const chunks = this.#guarded('late-snapshot', 'bytes()', () =>
      checkpoint.chunks.map(({ part, id, bytes }) => ({ part, id, bytes: bytes().slice() })),
    )
    return { height: checkpoint.header.height, chunks }
  }

  /** The application's state now, through a view of its own. */
  stateNow(rule: Rule): KeptChunk[] {
    return this.#guarded(rule, 'snapshot()', () => copyOf([...this.machine.snapshot()]))
  }

  query(query: Query, bytes: Uint8Array): Uint8Array {
    return this.#guarded('queries', `the query ${textOf(query)}`, () => this.#executor.query(bytes))
  }

  restoreFrom(record: ExecutedRecord): string | null {
    const chunks = record.state!.map(({ part, id, bytes }) => ({ part, id, bytes: bytes.slice() }))
    const restored = this.#guarded('restore', 'restore()', () => this.#executor.restore(record.header, chunks))
    for (const { bytes } of chunks) bytes.fill(this.#hostNumber)
    this.#versions = new Map()
    return restored.ok ? null : restored.reason
  }

  fault(rule: Rule, explanation: string): Fault {
    return new Fault(rule, explanation, this.#commandsSeen)
  }

  /** Views that were held all the time say what they said at first. */
  checkHeldViews(): void {
    for (const { height, chunks, bytes } of this.#held) {
      for (const [index, chunk] of chunks.entries()) {
        const again = this.#guarded('frozen-snapshot', 'bytes()', () => chunk.bytes())
        if (equalBytes(again, bytes[index]!)) continue
        const name = JSON.stringify(chunk.id)
        throw this.fault(
          'frozen-snapshot',
          `the view taken at height ${height} has changed since: chunk ${name} was ${textOf(bytes[index])} and is ${textOf(again.slice())}; snapshot() must give bytes that later commands do not reach`,
        )
      }
    }
  }

  #finishedHeader(): ExecutedHeader {
    while (this.#executor.work());
    return this.#executor.takeHeaders().at(-1)!
  }

  #keepState(height: number, keepsOwnChunks: boolean): RestoredPartChunk[] {
    const all = this.#guarded('chunks', 'snapshot()', () => [...this.#executor.checkpoint!.chunks])
    const state = all.map((chunk) => ({
      part: chunk.part,
      id: chunk.id,
      bytes: this.#guarded('chunks', 'bytes()', () => chunk.bytes().slice()),
    }))
    if (!keepsOwnChunks) return state
    const own = all.flatMap((chunk, index) =>
      chunk.part === 'application' ? [{ chunk, bytes: state[index]!.bytes }] : [],
    )
    this.#checkVersions(height, own)
    this.#held.push({ height, chunks: own.map(({ chunk }) => chunk), bytes: own.map(({ bytes }) => bytes) })
    if (this.#held.length > heldViewsMax) this.#held.splice(1, 1)
    this.checkHeldViews()
    return state
  }

  #checkVersions(height: number, own: readonly { chunk: PartChunk; bytes: Uint8Array }[]): void {
    const versions = new Map<string, KeptChunk>()
    for (const { chunk, bytes } of own) {
      const { id, version } = chunk
      const before = this.#versions.get(id)
      if (before !== undefined && before.version === version && !equalBytes(before.bytes, bytes)) {
        throw this.fault(
          'chunk-versions',
          `chunk ${JSON.stringify(id)} at height ${height} has other bytes than at the checkpoint before and the same version ${version}: it is not hashed again, and the state root goes stale`,
        )
      }
      versions.set(id, { id, version, bytes })
    }
    this.#versions = versions
  }

  #create(): ErasedStateMachine {
    const machine = this.#definition.create()
    const watched = {
      transactional: machine.transactional,
      beginBlock: (context: BlockContext) => this.#watch('apply', 'beginBlock()', () => machine.beginBlock(context)),
      apply: (command: Uint8Array, context: ApplyContext) => this.#apply(machine, command, context),
      query: machine.query,
      snapshot: machine.snapshot,
      restore: machine.restore,
      begin: machine.begin,
      commit: machine.commit,
      rollback: () => this.#watch('rollback', 'rollback()', () => machine.rollback()),
    }
    this.#machine = machine
    return watched
  }

  #apply(machine: ErasedStateMachine, command: Uint8Array, context: ApplyContext): Uint8Array {
    const result = machine.apply(command, context)
    if (result.length > resultBytesMax) {
      this.#note('limits', `a command's result has ${result.length} bytes, at most ${resultBytesMax}`)
      return result
    }
    const decoded = this.#definition.result.decode(result)
    if (!decoded.ok) this.#note('codecs', `the result codec does not read what it wrote: ${decoded.reason}`)
    else if (!equalBytes(this.#definition.result.encode(decoded.value), result)) {
      this.#note('codecs', `the result ${textOf(decoded.value)} has two encodings`)
    }
    return result
  }

  /** The executor says that it halted; this says for what. */
  #watch(rule: Rule, name: string, work: () => void): void {
    try {
      work()
    } catch (cause) {
      this.#note(rule, `${name} threw: ${messageOf(cause)}; every replica stops there`)
      throw cause
    }
  }

  #note(rule: Rule, explanation: string): void {
    this.#fault ??= { rule, explanation }
  }

  #throwFault(): void {
    if (this.#fault === null) return
    throw this.fault(this.#fault.rule, this.#fault.explanation)
  }

  /** Runs what is the application's on this run's host. What it throws is a fault. */
  #guarded<Value>(rule: Rule, name: string, work: () => Value): Value {
    try {
      return this.host.run(work)
    } catch (cause) {
      this.#throwFault()
      if (!(cause instanceof ExecutionHaltedError)) {
        throw this.fault(rule, `${name} threw: ${messageOf(cause)}`)
      }
      throw this.#haltFault(rule, cause)
    }
  }

  #haltFault(rule: Rule, halted: ExecutionHaltedError): Fault {
    const cause = messageOf(halted.cause)
    if (halted.index !== null) {
      return this.fault(
        'apply',
        `apply() threw at height ${halted.height}: ${cause}; every replica stops there: refuse the command in validate, make the refusal a result, or make the machine transactional`,
      )
    }
    return this.fault(rule, `the snapshot at height ${halted.height} failed: ${cause}`)
  }
}

function copyOf(chunks: readonly StateChunk[]): KeptChunk[] {
  return chunks.map((chunk) => ({ id: chunk.id, version: chunk.version, bytes: chunk.bytes().slice() }))
}
