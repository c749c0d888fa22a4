// What clients saw: which operations they invoked, when, and what came of each. The checkers judge this record and
// never a replica's own report.
//
// Instants of virtual time coincide, and a client often invokes its next operation in the microsecond in which the
// last one completed. So each invocation and completion also bears its number in the order of all events, and it is
// this order that checkers mean by "before".

import type { HistoryOperation, HistoryResult } from './key-value-model.ts'

/** Where an operation stands in the one order of operations, as its reply says. */
export type Position =
  // Executed as this entry of the block at this height.
  | { readonly kind: 'ordered'; readonly height: number; readonly index: number }
  // A linearizable read without a log entry: it saw the state after the block at this height.
  | { readonly kind: 'observed'; readonly height: number }

export type Outcome<Result> =
  | { readonly kind: 'ok'; readonly result: Result; readonly position?: Position }
  // Certainly did not happen, and never will.
  | { readonly kind: 'failed-definitely' }
  // May have happened, may yet, or never will. So ends each operation that is open when the history ends.
  | { readonly kind: 'unknown' }

/** An operation as someone without an order of events knows it. */
export interface TimedOperation<Op = HistoryOperation, Result = HistoryResult> {
  readonly client: number
  /** No client uses a number twice: a retry is the same operation. */
  readonly id: number
  readonly invokedAtUs: number
  /** When the client learnt the outcome, if it did. */
  readonly completedAtUs: number | null
  readonly operation: Op
  readonly outcome: Outcome<Result>
}

export interface Operation<Op = HistoryOperation, Result = HistoryResult> extends TimedOperation<Op, Result> {
  readonly invokedEvent: number
  readonly completedEvent: number | null
}

export interface History<Op = HistoryOperation, Result = HistoryResult> {
  /** In the order of their invocations. */
  readonly operations: readonly Operation<Op, Result>[]
  /** All events have numbers below this, and no two share one. */
  readonly eventsTotal: number
}

type Recorded<Op, Result> = { -readonly [K in keyof Operation<Op, Result>]: Operation<Op, Result>[K] }

/** Writes a history down while it happens. Times must not run backwards. */
export class HistoryRecorder<Op = HistoryOperation, Result = HistoryResult> {
  readonly #operationsMax: number
  readonly #operations: Recorded<Op, Result>[] = []
  readonly #byIdentity = new Map<number, Map<number, Recorded<Op, Result>>>()
  #eventsTotal = 0
  #latestUs = 0

  constructor(options: { readonly operationsMax: number }) {
    const { operationsMax } = options
    if (!Number.isSafeInteger(operationsMax) || operationsMax < 1) {
      throw new RangeError(`operationsMax ${operationsMax} is no positive integer`)
    }
    this.#operationsMax = operationsMax
  }

  /** False when the record is full. Such an operation must not be sent: to the checkers it would come from nowhere. */
  invoke(client: number, id: number, operation: Op, nowUs: number): boolean {
    if (this.#operations.length >= this.#operationsMax) return false
    let ofClient = this.#byIdentity.get(client)
    if (ofClient === undefined) this.#byIdentity.set(client, (ofClient = new Map()))
    if (ofClient.has(id)) throw new RangeError(`client ${client} invokes its operation ${id} a second time`)
    const recorded: Recorded<Op, Result> = {
      client,
      id,
      invokedAtUs: nowUs,
      completedAtUs: null,
      invokedEvent: this.#tick(nowUs),
      completedEvent: null,
      operation,
      outcome: { kind: 'unknown' },
    }
    ofClient.set(id, recorded)
    this.#operations.push(recorded)
    return true
  }

  complete(client: number, id: number, outcome: Outcome<Result>, nowUs: number): void {
    const recorded = this.#byIdentity.get(client)?.get(id)
    if (recorded === undefined) throw new RangeError(`client ${client} completes operation ${id} without invoking it`)
    if (recorded.completedEvent !== null) throw new RangeError(`client ${client} completes operation ${id} twice`)
    recorded.completedEvent = this.#tick(nowUs)
    recorded.completedAtUs = nowUs
    recorded.outcome = outcome
  }

  get size(): number {
    return this.#operations.length
  }

  /** The history so far, which later events leave as it is. What is still open has an unknown outcome. */
  history(): History<Op, Result> {
    return { operations: this.#operations.map((recorded) => ({ ...recorded })), eventsTotal: this.#eventsTotal }
  }

  #tick(nowUs: number): number {
    if (!(nowUs >= this.#latestUs)) throw new RangeError(`time runs backwards from ${this.#latestUs} to ${nowUs} µs`)
    this.#latestUs = nowUs
    return this.#eventsTotal++
  }
}

/** Orders operations by their times alone. Within one microsecond invocations come first: nothing there is "before". */
export function historyOf<Op, Result>(timed: readonly TimedOperation<Op, Result>[]): History<Op, Result> {
  const recorded = timed.map((operation) => ({ ...operation, invokedEvent: 0, completedEvent: null as number | null }))
  const events: { atUs: number; completion: boolean; operation: (typeof recorded)[number] }[] = []
  for (const operation of recorded) {
    const { invokedAtUs, completedAtUs } = operation
    if (completedAtUs !== null && !(completedAtUs >= invokedAtUs)) {
      throw new RangeError(`client ${operation.client} completes operation ${operation.id} before invoking it`)
    }
    if (completedAtUs === null && operation.outcome.kind !== 'unknown') {
      throw new RangeError(`client ${operation.client} knows an outcome of operation ${operation.id} without its time`)
    }
    events.push({ atUs: invokedAtUs, completion: false, operation })
    if (completedAtUs !== null) events.push({ atUs: completedAtUs, completion: true, operation })
  }
  events.sort((a, b) => a.atUs - b.atUs || Number(a.completion) - Number(b.completion))
  for (const [number, event] of events.entries()) {
    if (event.completion) event.operation.completedEvent = number
    else event.operation.invokedEvent = number
  }
  recorded.sort((a, b) => a.invokedEvent - b.invokedEvent)
  return { operations: recorded, eventsTotal: events.length }
}
