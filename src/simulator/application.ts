// The seam between the simulated world and the application that runs in it: its machine, its load, its words, and who judges its history.

import type { ClientFailureCode } from '../client/core/operation.ts'
import type { Hasher } from '../kernel/crypto-ports.ts'
import type { Block } from '../kernel/block.ts'
import type { Epoch } from '../kernel/membership.ts'
import type { Random } from '../kernel/random.ts'
import type { Executor } from '../execution/executor.ts'
import type { SliceLimits } from '../execution/root-in-progress.ts'
import type { History } from './checkers/history.ts'
import type { DecidedOperation } from './checkers/placement.ts'
import type { LoadShape } from './run-parameters.ts'

export interface SimulatedApplication<Operation, Result> {
  /** A fresh executor, at height 0. */
  createExecutor(epoch: Epoch, hasher: Hasher, slices?: SliceLimits): Executor
  /** Draws the operations of one run. */
  createLoad(shape: LoadShape): (random: Random) => Operation
  readonly language: ApplicationLanguage<Operation, Result>
  judge(run: FinishedRun<Operation, Result>): Judgement
}

/** The application's operations on their way out of a client, and its results on their way in. */
export interface ApplicationLanguage<Operation, Result> {
  /** Null for what is only a query. */
  writeCommand(operation: Operation): Uint8Array | null
  /** Null for what is only a command. */
  writeQuery(operation: Operation): Uint8Array | null
  readResult(bytes: Uint8Array): Result
  /** A word for traces. */
  kindOf(operation: Operation): string
  /** Failures that this application's operations may end with, beside those of any. */
  readonly failures: readonly ClientFailureCode[]
}

export interface FinishedRun<Operation, Result> {
  readonly epoch: Epoch
  readonly history: History<Operation, Result>
  readonly decided: readonly DecidedOperation[]
  /** By height, from 1 to `heightDecided`. */
  readonly blocks: ReadonlyMap<number, Block>
  readonly heightDecided: number
}

export type Judgement =
  | { kind: 'passed' }
  | { kind: 'violated'; invariant: string; explanation: string }
  /** A search gave up. */
  | { kind: 'undecided' }
