// What a checker has found wrong: a value to print and to keep, never an exception.

import type { Operation } from './history.ts'
import type { HistoryOperation, HistoryResult } from './key-value-model.ts'
import type { Model } from './model.ts'

export type Invariant =
  | 'real-time-order' // an operation that completed before another was invoked stands before it
  | 'replayed-result' // replaying the decided operations gives each client what it saw
  | 'executed-once' // no operation is executed twice
  | 'position-unique' // no two operations stand at one position
  | 'position-agreed' // a client was told the position at which its operation was executed
  | 'position-decided' // no reply speaks of a height that is not decided
  | 'acknowledged-kept' // what was acknowledged is decided
  | 'failure-definite' // what failed for certain is not decided
  | 'invoked-first' // what is decided was invoked by a client
  | 'linearizable' // some order of a key's operations explains all results

export interface Violation<Op = HistoryOperation, Result = HistoryResult> {
  readonly invariant: Invariant
  /** One sentence with clients, operations and times. */
  readonly explanation: string
  /** The operations that the explanation names. */
  readonly operations: readonly Operation<Op, Result>[]
}

/** Keeps the first violations and counts the rest: one lost write may show in thousands of results. */
export class ViolationLog<Op, Result> {
  readonly kept: Violation<Op, Result>[] = []
  total = 0
  readonly #keptMax: number

  constructor(keptMax: number) {
    if (!Number.isSafeInteger(keptMax) || keptMax < 1)
      throw new RangeError(`violationsMax ${keptMax} is no positive integer`)
    this.#keptMax = keptMax
  }

  add(invariant: Invariant, operations: readonly Operation<Op, Result>[], explain: () => string): void {
    this.total += 1
    if (this.kept.length < this.#keptMax) this.kept.push({ invariant, explanation: explain(), operations })
  }
}

/** `client 3's operation 7, put("x", "1") from 120 to 180 µs with the answer done` */
export function describeOperation<State, Op, Result>(
  model: Model<State, Op, Result>,
  operation: Operation<Op, Result>,
): string {
  const { client, id, invokedAtUs, completedAtUs, outcome } = operation
  const name = `client ${client}'s operation ${id}, ${model.describe(operation.operation)}`
  const span = completedAtUs === null ? `from ${invokedAtUs} µs on` : `from ${invokedAtUs} to ${completedAtUs} µs`
  if (outcome.kind === 'ok') return `${name} ${span} with the answer ${model.describeResult(outcome.result)}`
  return `${name} ${span} with ${outcome.kind === 'unknown' ? 'an unknown outcome' : 'a definite failure'}`
}
