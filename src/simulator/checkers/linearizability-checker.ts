// Checks that a history is linearizable, from what clients saw and nothing else: no positions, no decided list, no
// replica's word. Keys are checked one by one, which is sound because linearizability is local.
//
// An operation of unknown outcome may take effect at any time after its invocation, or never. One that failed for
// certain is left out: a client that sees its effect cannot be explained.
//
// Cost: exponential at worst, in the operations of one key that overlap and in those of unknown outcome, and bounded by
// `stepsMax` for each key. Measured with 4,000 operations on one key, 8 open on average and at times 16, a third of them
// reads: 8 steps an operation and 100,000 operations a CPU second; 80 steps and 25,000 if there is a violation near the
// end. With 1% of unknown outcomes, 30 to 150 steps and 25,000 operations a CPU second, but a violation stays undecided
// within the default budget; on a key with 600 operations it is found in 100 to 600 steps an operation up to 1% of
// unknown outcomes, mostly at 3%, and not at 10%. So spread long histories over many keys.

import type { History, Operation } from './history.ts'
import { LinearizabilitySearch } from './linearizability-search.ts'
import type { Model } from './model.ts'
import { searchProblem } from './search-problem.ts'
import { describeOperation, type Violation } from './violation.ts'

export interface LinearizabilityOptions<State, Op, Result> {
  readonly model: Model<State, Op, Result>
  readonly history: History<Op, Result>
  /** Steps of the model for each key, which bound time and memory. Default: 1,000,000. */
  readonly stepsMax?: number
}

export type LinearizabilityVerdict<Op, Result> =
  | { readonly kind: 'linearizable'; readonly steps: number; readonly keysTotal: number }
  // No violation was found, and some keys were given up.
  | { readonly kind: 'undecided'; readonly steps: number; readonly keys: readonly string[] }
  | {
      readonly kind: 'violation'
      readonly steps: number
      readonly key: string
      /** The longest order of the key's operations that explains what clients saw. */
      readonly prefix: readonly Operation<Op, Result>[]
      /** Those that fit nowhere behind it. The first is the one whose completion no order reaches. */
      readonly stuck: readonly Operation<Op, Result>[]
      readonly violation: Violation<Op, Result>
    }

const stepsMaxDefault = 1_000_000
const namedMax = 4

/** Stops at the first key with a violation; keys are taken in the order in which they first appear. */
export function checkLinearizability<State, Op, Result>(
  options: LinearizabilityOptions<State, Op, Result>,
): LinearizabilityVerdict<Op, Result> {
  const { model, history, stepsMax = stepsMaxDefault } = options
  if (!Number.isSafeInteger(stepsMax) || stepsMax < 1)
    throw new RangeError(`stepsMax ${stepsMax} is no positive integer`)
  const partitions = partitionByKey(model, history)
  const undecided: string[] = []
  let steps = 0
  for (const [key, { known, unknown }] of partitions) {
    const problem = searchProblem(model, key, known, unknown)
    const result = new LinearizabilitySearch(problem).run(stepsMax)
    steps += result.steps
    if (result.kind === 'undecided') undecided.push(key)
    if (result.kind !== 'violation') continue
    const prefix = result.order.map((item) => problem.items[item]!)
    const due = known[result.due]!
    const stuck = stuckBehind(known, prefix, due)
    return { kind: 'violation', steps, key, prefix, stuck, violation: explain(model, key, prefix, stuck) }
  }
  if (undecided.length > 0) return { kind: 'undecided', steps, keys: undecided }
  return { kind: 'linearizable', steps, keysTotal: partitions.size }
}

interface Partition<Op, Result> {
  readonly known: Operation<Op, Result>[]
  readonly unknown: Operation<Op, Result>[]
}

function partitionByKey<State, Op, Result>(
  model: Model<State, Op, Result>,
  history: History<Op, Result>,
): Map<string, Partition<Op, Result>> {
  const partitions = new Map<string, Partition<Op, Result>>()
  for (const operation of history.operations) {
    if (operation.outcome.kind === 'failed-definitely') continue
    const key = model.keyOf(operation.operation)
    let partition = partitions.get(key)
    if (partition === undefined) partitions.set(key, (partition = { known: [], unknown: [] }))
    if (operation.outcome.kind === 'ok') partition.known.push(operation)
    // Nobody saw what an unknown read answered, and it changed nothing.
    else if (!model.isRead(operation.operation)) partition.unknown.push(operation)
  }
  return partitions
}

function stuckBehind<Op, Result>(
  known: readonly Operation<Op, Result>[],
  prefix: readonly Operation<Op, Result>[],
  due: Operation<Op, Result>,
): Operation<Op, Result>[] {
  const explained = new Set(prefix)
  const open = known.filter(
    (operation) => operation !== due && !explained.has(operation) && operation.invokedEvent < due.completedEvent!,
  )
  return [due, ...open]
}

function explain<State, Op, Result>(
  model: Model<State, Op, Result>,
  key: string,
  prefix: readonly Operation<Op, Result>[],
  stuck: readonly Operation<Op, Result>[],
): Violation<Op, Result> {
  const [due, ...open] = stuck as readonly [Operation<Op, Result>, ...Operation<Op, Result>[]]
  const name = (operation: Operation<Op, Result>): string => describeOperation(model, operation)
  let state = model.initial(key)
  for (const { operation } of prefix) state = model.step(state, operation).state
  const answer = model.describeResult(model.step(state, due.operation).result)
  const shown = prefix.slice(-namedMax)
  const before =
    shown.length === 0
      ? 'as the first operation'
      : `behind the longest order of ${prefix.length} operations that can be explained, which ends with ` +
        `${shown.map(name).join('; then ')},`
  const others = open.slice(0, namedMax)
  const meanwhile = others.length === 0 ? '' : `; nor does any order of it with ${others.map(name).join(' and ')} help`
  return {
    invariant: 'linearizable',
    explanation: `on key ${JSON.stringify(key)}, ${name(due)} fits nowhere: ${before} the answer is ${answer}${meanwhile}`,
    operations: [due, ...others, ...shown],
  }
}
