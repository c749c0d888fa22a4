/**
 * Executes decided blocks in order: sessions, state machine, results, executed header.
 *
 * `execute(block)` runs a machine that answers at once. A machine that must be awaited is driven from outside:
 *
 *   executor.begin(block)
 *   for (let step = executor.next(); step.kind === 'apply'; step = executor.next()) {
 *     executor.applied(await outcomeOf(step))
 *   }                                      // the last step is 'done', with the executed block
 *
 * At a checkpoint height the state's root goes into the executed header. It is worked out from a frozen view, in slices, while further
 * blocks are executed; headers are finished, in their order, when it is known. So after each turn's blocks:
 *
 *   while (blocks are left && executor.mayExecute) executor.execute(…)
 *   const more = executor.work()             // one slice; true: another turn is owed
 *   for (const header of executor.takeHeaders()) …
 *
 * The next checkpoint waits for the one before, and `mayExecute` says so.
 *
 * Nothing that a block contains makes it throw. It throws on a block that is not the next one, which is a mistake of its caller, and
 * it halts when the state machine throws without being able to undo: from then on it executes nothing, for which operation it halted
 * stands in `halted`, and only `restore` brings it back.
 */

import type { Block } from '../kernel/block.ts'
import type { Digest, Hasher } from '../kernel/crypto-ports.ts'
import type { Envelope } from '../kernel/envelope.ts'
import type { ExecutedHeader } from '../kernel/executed-header.ts'
import type { EpochNumber, Height, TimestampMs } from '../kernel/ids.ts'
import { resultBytesMax } from '../kernel/limits.ts'
import type { CheckpointParameters, SessionParameters } from '../kernel/parameters.ts'
import type { Writer } from '../wire/writer.ts'
import { BlockExecution, type ApplyOutcome, type PendingOperation } from './block-execution.ts'
import type { ExecutedBlock } from './executed-block.ts'
import { blockDigest, ExecutedLedger } from './executed-ledger.ts'
import { executorChunks } from './executor-state.ts'
import { ExecutionHaltedError } from './halt.ts'
import { executed, refusal } from './outcomes.ts'
import type { ReplyLimits } from './reply-memory.ts'
import { ResultsHasher } from './results.ts'
import {
  slicesDefault,
  type ComputedRoot,
  type DigestedChunk,
  type RootInProgress,
  type SliceLimits,
} from './root-in-progress.ts'
import { SessionTable } from './session-table.ts'
import { isSettled, settledReplies, type StoredReplies } from './settled.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import { appendTo, type AppendingChunk } from './appending-chunk.ts'
import type { StateChunk } from './state-chunks.ts'
import type { PartChunk, RestoredPartChunk } from './state-parts.ts'
import { StateRoot } from './state-root.ts'
import type { ApplyContext, ErasedStateMachine, ErasedStateMachineDefinition } from './state-machine.ts'
import { equalBytes } from '../wire/equal-bytes.ts'

export interface ExecutorOptions {
  machine: ErasedStateMachineDefinition
  hasher: Hasher
  /** The epoch of the first block. */
  epoch: EpochNumber
  sessions: SessionParameters
  checkpoints: CheckpointParameters
  /** What stored replies may take in memory; agreed on like the parameters. Default: the limits of reply-memory.ts. */
  replyLimits?: ReplyLimits
  /** What one call of `work` does, one chunk more or less. Local: where slices end changes no header. Default: root-in-progress.ts. */
  slices?: SliceLimits
}

export type ExecutionStep = PendingOperation | { kind: 'done'; executed: ExecutedBlock }

/** The state at a checkpoint height: what a snapshot is written from, at leisure, while execution goes on. */
export interface CheckpointState {
  readonly header: ExecutedHeader
  /** In canonical order, frozen. */
  readonly chunks: readonly DigestedChunk[]
}

export type Restored = { ok: true } | { ok: false; reason: string }

interface BlockInProgress {
  block: Block
  digest: Digest
  execution: BlockExecution
}

/** The state as it was at a checkpoint height, on its way to a root. */
interface CheckpointInProgress {
  height: Height
  root: RootInProgress
}

export class Executor {
  readonly #options: ExecutorOptions
  readonly #results: ResultsHasher
  #ledger: ExecutedLedger
  #machine: ErasedStateMachine
  #sessions: SessionTable
  #stateRoot: StateRoot
  #inProgress: BlockInProgress | null = null
  #awaited: ApplyContext | null = null
  #halted: ExecutionHaltedError | null = null
  /** The newest finished one only: what it holds of an older state is let go of when the next is finished. */
  #checkpoint: CheckpointState | null = null
  #unfinished: CheckpointInProgress | null = null
  readonly #slices: SliceLimits

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#slices = options.slices ?? slicesDefault
    this.#results = new ResultsHasher(options.hasher)
    this.#ledger = new ExecutedLedger(options.hasher, options.epoch)
    this.#machine = options.machine.create()
    this.#sessions = new SessionTable(options.sessions, options.replyLimits)
    this.#stateRoot = new StateRoot(options.hasher)
  }

  get epoch(): EpochNumber {
    return this.#ledger.epoch
  }

  /** The last executed height; 0 before the first. */
  get height(): Height {
    return this.#ledger.height
  }

  get time(): TimestampMs {
    return this.#ledger.time
  }

  /** The last finished one; null before the first. */
  get header(): ExecutedHeader | null {
    return this.#ledger.header
  }

  /** Of the last finished header. */
  get headerDigest(): Digest {
    return this.#ledger.digest
  }

  /** Of the last finished header; 0 before the first. */
  get headerHeight(): Height {
    return this.#ledger.header?.height ?? 0
  }

  /** Why nothing is executed any more. */
  get halted(): ExecutionHaltedError | null {
    return this.#halted
  }

  /** False: the next block is a checkpoint's, and headers below it are not finished; or nothing is executed any more. */
  get mayExecute(): boolean {
    return this.#halted === null && !(this.#ledger.lags && this.#isCheckpoint(this.height + 1))
  }

  /** The state at the last checkpoint height whose header is finished, or that was restored. */
  get checkpoint(): CheckpointState | null {
    return this.#checkpoint
  }

  /** Lets go of it: a frozen view keeps every value that was overwritten since. */
  releaseCheckpoint(): void {
    this.#checkpoint = null
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  /** Chunks that the last state root hashed. */
  get chunksHashed(): number {
    return this.#stateRoot.chunksHashed
  }

  /** Would executing this envelope change nothing any more? */
  hasConsumed(envelope: Envelope): boolean {
    return this.#sessions.hasConsumed(envelope, this.height)
  }

  /** Would ordering it bring nothing that is not known here (settled.ts)? A block half executed is nobody's answer. */
  isSettled(envelope: Envelope): boolean {
    if (this.#halted !== null || this.#inProgress !== null) return false
    return isSettled(envelope, this.#sessions, this.#results, this.height)
  }

  /** What came of it; null if it is not settled. */
  settled(envelope: Envelope): StoredReplies | null {
    if (this.#halted !== null || this.#inProgress !== null) return null
    return settledReplies(envelope, this.#sessions, this.#results, this.height)
  }

  /** Total: an encoded outcome (kernel/outcome.ts). */
  query(query: Uint8Array): Uint8Array {
    if (this.#halted !== null || this.#inProgress !== null) return refusal('InvalidQuery')
    try {
      const answer = this.#machine.query(query)
      return answer.length > resultBytesMax ? refusal('InvalidQuery') : executed(answer)
    } catch {
      // A query changes nothing, so there is nothing to undo and nobody else to agree with.
      return refusal('InvalidQuery')
    }
  }

  /** Throws ExecutionHaltedError when the state machine's `apply` threw and cannot undo, RangeError when `mayExecute` is false. */
  execute(block: Block): ExecutedBlock {
    this.begin(block)
    let step = this.next()
    while (step.kind === 'apply') {
      this.applied(this.#apply(step))
      step = this.next()
    }
    return step.executed
  }

  begin(block: Block): void {
    if (this.#halted !== null) throw this.#halted
    if (this.#inProgress !== null) throw new RangeError('the block before is still in execution')
    this.#ledger.assertNext(block.header)
    if (!this.mayExecute)
      throw new RangeError(`checkpoint ${this.height + 1} given for execution before the last is finished`)
    const { hasher, machine } = this.#options
    const { height } = block.header
    const digest = blockDigest(hasher, block.header)
    const timestamp = this.#ledger.timeAfter(block.header)
    const ports = {
      hasher,
      results: this.#results,
      sessions: this.#sessions,
      validate: (command: Uint8Array) => machine.validate(command),
    }
    this.#sessions.beginBlock(height)
    try {
      this.#machine.beginBlock({ height, timestamp })
    } catch (cause) {
      throw this.#halt(height, null, cause)
    }
    this.#inProgress = { block, digest, execution: new BlockExecution(ports, block, digest, timestamp) }
  }

  next(): ExecutionStep {
    const inProgress = this.#requireBlock()
    if (this.#awaited !== null) throw new RangeError('the outcome of the operation before is still awaited')
    const pending = this.#within(() => inProgress.execution.next())
    this.#awaited = pending?.context ?? null
    return pending ?? { kind: 'done', executed: this.#finish(inProgress) }
  }

  /** How the operation of the last step came out. */
  applied(outcome: ApplyOutcome): void {
    const inProgress = this.#requireBlock()
    if (this.#awaited === null) throw new RangeError('no operation awaits its outcome')
    this.#within(() => inProgress.execution.applied(outcome))
    this.#awaited = null
  }

  /** The operation of the last step failed, and what it did cannot be undone. Returns what the caller fails with. */
  halt(cause: unknown): ExecutionHaltedError {
    return this.#halt(this.height + 1, this.#awaited?.index ?? null, cause)
  }

  /**
   * One slice of what the last checkpoint has left to do; true when there is more. Throws ExecutionHaltedError when a chunk of the
   * state machine cannot be had or breaks the rules for them.
   */
  work(): boolean {
    if (this.#halted !== null) return false
    if (this.#unfinished !== null) {
      const computed = this.#workOn(this.#unfinished)
      if (computed === null) return true
      this.#unfinished = null
      this.#checkpoint = { header: this.#ledger.rootFound(computed.root), chunks: computed.chunks }
    }
    this.#ledger.finish(this.#slices.sliceChunksMax)
    return this.#ledger.lags
  }

  /** Headers finished since this was last asked, in their order, each once. They are kept until then. */
  takeHeaders(): ExecutedHeader[] {
    return this.#ledger.takeFinished()
  }

  /** The next block is the first of the next epoch. */
  enterEpoch(epoch: EpochNumber): void {
    this.#ledger.enterEpoch(epoch)
  }

  /**
   * Continues from a snapshot at a header that a quorum has signed. Total: nothing changes unless the chunks have exactly the header's
   * root. Gives up a halt and whatever was executed so far, headers that were not taken included.
   *
   * The chunks come in canonical order and are gone through once, each let go of before the next is asked for.
   */
  restore(header: ExecutedHeader, chunks: Iterable<RestoredPartChunk>): Restored {
    if (header.stateRoot === null) return refused(`the header of height ${header.height} has no state root`)
    try {
      return this.#restore(header, header.stateRoot, new SnapshotReader(chunks))
    } catch (cause) {
      return refused(`the snapshot cannot be read: ${String(cause)}`)
    }
  }

  #restore(header: ExecutedHeader, root: Digest, reader: SnapshotReader): Restored {
    const { hasher, sessions: parameters, replyLimits } = this.#options
    const own = reader.own()
    if (typeof own === 'string') return refused(own)
    const { counters } = own
    const agrees =
      counters.epoch === header.epoch &&
      counters.height === header.height &&
      counters.time === header.time &&
      equalBytes(counters.parent, header.parent)
    if (!agrees) return refused('the counters are not those of the header')
    const sessions = new SessionTable(parameters, replyLimits)
    if (!sessions.restore(own.sessions)) return refused('the sessions are in disorder')
    for (const { client, floor } of own.floors) sessions.restoreFloor(client, floor)
    const machine = this.#restoredMachine(reader)
    if (typeof machine === 'string') return refused(machine)
    const stateRoot = new StateRoot(hasher)
    // Computed from what was rebuilt and not from what was received: what a liar adds or leaves out shows here.
    const computed = stateRoot.compute(allChunks(executorChunks(counters, sessions), machine))
    if (!equalBytes(computed.root, root)) return refused('the state has another root')
    const ledger = new ExecutedLedger(hasher, header.epoch)
    ledger.reset(header)

    this.#ledger = ledger
    this.#machine = machine
    this.#sessions = sessions
    this.#stateRoot = stateRoot
    this.#inProgress = null
    this.#awaited = null
    this.#halted = null
    this.#unfinished = null
    this.#checkpoint = { header, chunks: computed.chunks }
    return { ok: true }
  }

  #restoredMachine(reader: SnapshotReader): ErasedStateMachine | string {
    const machine = this.#options.machine.create()
    let refusal: string | null = null
    try {
      machine.restore(reader.application())
    } catch (cause) {
      refusal = `the state machine refuses the snapshot: ${String(cause)}`
    }
    return reader.end() ?? refusal ?? machine
  }

  #apply({ operation, context }: PendingOperation): ApplyOutcome {
    const machine = this.#machine
    if (!machine.transactional) {
      try {
        return { kind: 'result', result: machine.apply(operation, context) }
      } catch (cause) {
        throw this.halt(cause)
      }
    }
    try {
      machine.begin()
      const result = machine.apply(operation, context)
      if (result.length > resultBytesMax) throw new RangeError(`a result of ${result.length} bytes`)
      machine.commit()
      return { kind: 'result', result }
    } catch {
      // Every replica's machine throws here, and every one undoes it: that this operation failed is agreed.
      this.#within(() => machine.rollback())
      return { kind: 'rolled-back' }
    }
  }

  #finish({ block, digest, execution }: BlockInProgress): ExecutedBlock {
    const { epoch, height } = block.header
    const { envelopes, replies, leaves } = execution
    const timestamp = this.#ledger.timeAfter(block.header)
    const isCheckpoint = this.#isCheckpoint(height)
    if (isCheckpoint) {
      const counters = { epoch, height, parent: this.#ledger.digest, time: timestamp }
      const chunks = this.#within(() => allChunks(executorChunks(counters, this.#sessions), this.#machine))
      this.#unfinished = { height, root: this.#stateRoot.begin(chunks) }
    }
    this.#ledger.append(block.header, digest, this.#results.root(leaves), isCheckpoint)
    this.#inProgress = null
    return { height, timestamp, envelopes, replies, leaves }
  }

  #isCheckpoint(height: Height): boolean {
    return height % this.#options.checkpoints.intervalHeights === 0
  }

  #workOn({ height, root }: CheckpointInProgress): ComputedRoot | null {
    try {
      return root.work(this.#slices)
    } catch (cause) {
      throw this.#halt(height, null, cause)
    }
  }

  #requireBlock(): BlockInProgress {
    if (this.#halted !== null) throw this.#halted
    if (this.#inProgress === null) throw new RangeError('no block is in execution')
    return this.#inProgress
  }

  /** Whatever is thrown while a block is half executed leaves a state that is nobody's. */
  #within<Value>(work: () => Value): Value {
    try {
      return work()
    } catch (cause) {
      throw this.halt(cause)
    }
  }

  #halt(height: Height, index: number | null, cause: unknown): ExecutionHaltedError {
    this.#halted ??= new ExecutionHaltedError(height, index, cause)
    this.#inProgress = null
    return this.#halted
  }
}

/** The machine's view is taken now, and gone through when somebody asks. */
function allChunks(own: Iterable<PartChunk>, machine: ErasedStateMachine): Iterable<PartChunk> {
  const view = machine.snapshot()
  return {
    *[Symbol.iterator](): Generator<PartChunk> {
      yield* own
      for (const chunk of view) yield applicationChunk(chunk)
    },
  }
}

function applicationChunk(chunk: StateChunk | AppendingChunk): PartChunk {
  const { id, version } = chunk
  const found: PartChunk = { part: 'application', id, version, bytes: () => chunk.bytes() }
  return appendTo in chunk ? Object.assign(found, { [appendTo]: (writer: Writer) => chunk[appendTo](writer) }) : found
}

function refused(reason: string): Restored {
  return { ok: false, reason }
}
