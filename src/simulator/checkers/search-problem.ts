// One key's operations as a search wants them: numbered, sorted, and with what can be known beforehand.

import type { Operation } from './history.ts'
import type { Model } from './model.ts'

/** Operations are numbered from 0: the known ones, then those of unknown outcome, each in the order of invocation. */
export interface SearchProblem<State, Op, Result> {
  readonly model: Model<State, Op, Result>
  readonly key: string
  readonly items: readonly Operation<Op, Result>[]
  readonly knownTotal: number
  /** By operation: the event of its invocation. */
  readonly calls: Float64Array
  /** By level: the known operation that completes there. */
  readonly due: Int32Array
  /** By known operation: whether its answer says that it changed nothing. */
  readonly leavesState: Uint8Array
  /** By known operation: a number that no other operation open at the same time has. */
  readonly slots: Int32Array
  readonly slotsTotal: number
  /** By unknown operation: the one before it that says the same, or -1. */
  readonly twins: Int32Array
}

export function searchProblem<State, Op, Result>(
  model: Model<State, Op, Result>,
  key: string,
  known: readonly Operation<Op, Result>[],
  unknown: readonly Operation<Op, Result>[],
): SearchProblem<State, Op, Result> {
  const items = [...known, ...unknown]
  const byCompletion = known
    .map((_, item) => item)
    .sort((a, b) => known[a]!.completedEvent! - known[b]!.completedEvent!)
  const leavesState = Uint8Array.from(known, ({ operation, outcome }) =>
    Number(outcome.kind === 'ok' && model.leavesState(operation, outcome.result)),
  )
  return {
    model,
    key,
    items,
    knownTotal: known.length,
    calls: Float64Array.from(items, (item) => item.invokedEvent),
    due: Int32Array.from(byCompletion),
    leavesState,
    ...assignSlots(known, byCompletion),
    twins: twinsOf(model, items, known.length),
  }
}

function assignSlots<Op, Result>(
  known: readonly Operation<Op, Result>[],
  byCompletion: readonly number[],
): { slots: Int32Array; slotsTotal: number } {
  const slots = new Int32Array(known.length)
  const free: number[] = []
  let slotsTotal = 0
  let completed = 0
  for (const [item, { invokedEvent }] of known.entries()) {
    while (known[byCompletion[completed]!]!.completedEvent! < invokedEvent)
      free.push(slots[byCompletion[completed++]!]!)
    slots[item] = free.pop() ?? slotsTotal++
  }
  return { slots, slotsTotal }
}

function twinsOf<State, Op, Result>(
  model: Model<State, Op, Result>,
  items: readonly Operation<Op, Result>[],
  knownTotal: number,
): Int32Array {
  const latest = new Map<string, number>()
  const twins = new Int32Array(items.length - knownTotal)
  for (let item = knownTotal; item < items.length; item++) {
    const name = model.describe(items[item]!.operation)
    twins[item - knownTotal] = latest.get(name) ?? -1
    latest.set(name, item)
  }
  return twins
}
