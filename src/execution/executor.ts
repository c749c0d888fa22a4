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
 * Nothing that a block contains makes it throw. It throws on a block that is not the next one, which is a mistake of its caller, and
 * it halts when the state machine throws without being able to undo: from then on it executes nothing, for which operation it halted
 * stands in `halted`, and only `restore` brings it back.
 */

import type { Block } from '../kernel/block.ts'
import type { Digest, Hasher } from '../kernel/crypto-ports.ts'
import type { ExecutedHeader } from '../kernel/executed-header.ts'
import type { EpochNumber, Height, TimestampMs } from '../kernel/ids.ts'
import { resultBytesMax } from '../kernel/limits.ts'
import type { CheckpointParameters, SessionParameters } from '../kernel/parameters.ts'
import { BlockExecution, type ApplyOutcome, type PendingOperation } from './block-execution.ts'
import type { ExecutedBlock } from './executed-block.ts'
import { blockDigest, ExecutedLedger } from './executed-ledger.ts'
import { executorChunks, readChunks, type RestoredPartChunk, type RestoredState } from './executor-state.ts'
import { ExecutionHaltedError } from './halt.ts'
import { equalBytes } from './merkle.ts'
import { executed, refusal } from './outcomes.ts'
import type { ReplyLimits } from './reply-memory.ts'
import { ResultsHasher } from './results.ts'
import { SessionTable } from './session-table.ts'
import { StateRoot, type PartChunk } from './state-root.ts'
import type { ApplyContext, ErasedStateMachine, ErasedStateMachineDefinition } from './state-machine.ts'

export interface ExecutorOptions {
  machine: ErasedStateMachineDefinition
  hasher: Hasher
  /** The epoch of the first block. */
  epoch: EpochNumber
  sessions: SessionParameters
  checkpoints: CheckpointParameters
  /** What stored replies may take in memory; agreed on like the parameters. Default: the limits of reply-memory.ts. */
  replyLimits?: ReplyLimits
}

export type ExecutionStep = PendingOperation | { kind: 'done'; executed: ExecutedBlock }

/** The state at a checkpoint height: what a snapshot is written from, at leisure, while execution goes on. */
export interface CheckpointState {
  readonly header: ExecutedHeader
  /** In canonical order, frozen; may be gone through more than once. */
  readonly chunks: Iterable<PartChunk>
}

export type Restored = { ok: true } | { ok: false; reason: string }

interface BlockInProgress {
  block: Block
  digest: Digest
  execution: BlockExecution
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
  #checkpoint: CheckpointState | null = null

  constructor(options: ExecutorOptions) {
    this.#options = options
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

  /** Null before the first block. */
  get header(): ExecutedHeader | null {
    return this.#ledger.header
  }

  get headerDigest(): Digest {
    return this.#ledger.digest
  }

  /** Why nothing is executed any more. */
  get halted(): ExecutionHaltedError | null {
    return this.#halted
  }

  /** The state at the last checkpoint height that was executed here or restored. */
  get checkpoint(): CheckpointState | null {
    return this.#checkpoint
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  /** Chunks that the last state root hashed. */
  get chunksHashed(): number {
    return this.#stateRoot.chunksHashed
  }

  /** Total: null, or why the state machine refuses the command. Reads no state. */
  validate(command: Uint8Array): string | null {
    return this.#options.machine.validate(command)
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

  /** Throws ExecutionHaltedError when the state machine's `apply` threw and cannot undo. */
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

  /** The next block is the first of the next epoch. */
  enterEpoch(epoch: EpochNumber): void {
    this.#ledger.enterEpoch(epoch)
  }

  /**
   * Continues from a snapshot at a header that a quorum has signed. Total: nothing changes unless the chunks have exactly the header's
   * root. Gives up a halt and whatever was executed so far.
   */
  restore(header: ExecutedHeader, chunks: Iterable<RestoredPartChunk>): Restored {
    if (header.stateRoot === null)
      return { ok: false, reason: `the header of height ${header.height} has no state root` }
    const state = readChunks(chunks)
    if (typeof state === 'string') return { ok: false, reason: state }
    const { counters } = state
    const agrees =
      counters.epoch === header.epoch &&
      counters.height === header.height &&
      counters.time === header.time &&
      equalBytes(counters.parent, header.parent)
    if (!agrees) return { ok: false, reason: 'the counters are not those of the header' }
    return this.#rebuild(header, header.stateRoot, state)
  }

  #rebuild(header: ExecutedHeader, root: Digest, state: RestoredState): Restored {
    const { hasher, machine, sessions: parameters, replyLimits } = this.#options
    const sessions = new SessionTable(parameters, replyLimits)
    if (!sessions.restore(state.sessions)) return { ok: false, reason: 'the sessions are in disorder' }
    for (const { client, floor } of state.floors) sessions.restoreFloor(client, floor)
    const restored = machine.create()
    const stateRoot = new StateRoot(hasher)
    let chunks: Iterable<PartChunk>
    try {
      restored.restore(state.application)
      chunks = allChunks(executorChunks(state.counters, sessions), restored)
      // Computed from what was rebuilt and not from what was received: what a liar adds or leaves out shows here.
      if (!equalBytes(stateRoot.compute(chunks), root)) return { ok: false, reason: 'the state has another root' }
    } catch (cause) {
      return { ok: false, reason: `the state machine refuses the snapshot: ${String(cause)}` }
    }
    this.#ledger = new ExecutedLedger(hasher, header.epoch)
    this.#ledger.reset(header)
    this.#machine = restored
    this.#sessions = sessions
    this.#stateRoot = stateRoot
    this.#inProgress = null
    this.#awaited = null
    this.#halted = null
    this.#checkpoint = { header, chunks }
    return { ok: true }
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
    const { header } = block
    const { envelopes, replies, leaves } = execution
    const isCheckpoint = header.height % this.#options.checkpoints.intervalHeights === 0
    const counters = {
      epoch: header.epoch,
      height: header.height,
      parent: this.#ledger.digest,
      time: this.#ledger.timeAfter(header),
    }
    let chunks: Iterable<PartChunk> | null = null
    let root: Digest | null = null
    if (isCheckpoint) {
      chunks = this.#within(() => allChunks(executorChunks(counters, this.#sessions), this.#machine))
      const frozen = chunks
      root = this.#within(() => this.#stateRoot.compute(frozen))
    }
    const executedHeader = this.#ledger.append(header, digest, this.#results.root(leaves), root)
    this.#inProgress = null
    if (chunks !== null) this.#checkpoint = { header: executedHeader, chunks }
    return { header: executedHeader, envelopes, replies, leaves }
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
function allChunks(own: readonly PartChunk[], machine: ErasedStateMachine): Iterable<PartChunk> {
  const view = machine.snapshot()
  return {
    *[Symbol.iterator](): Generator<PartChunk> {
      yield* own
      for (const chunk of view) {
        yield { part: 'application', id: chunk.id, version: chunk.version, bytes: () => chunk.bytes() }
      }
    },
  }
}
