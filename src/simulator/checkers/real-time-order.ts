// Real-time order by position. An operation that completed before another was invoked stands before it:
// - between two executed operations, at a lower (height, index);
// - a write that completed before a read was invoked, at or below the height that the read saw;
// - a write that was invoked after a read completed, above the height that the read saw;
// - a read that was invoked after another completed, at the same height or a higher one.
// A read that stands behind the last entry of its block makes these one rule: places ascend, and only reads share one.
// One sweep over all events, which remembers the highest place completed so far.

import type { History } from './history.ts'
import type { Model } from './model.ts'
import { afterBlock, isPlaced, placeName, type Placement } from './placement.ts'
import { describeOperation, type ViolationLog } from './violation.ts'

export function checkRealTimeOrder<State, Op, Result>(
  model: Model<State, Op, Result>,
  history: History<Op, Result>,
  placement: Placement,
  log: ViolationLog<Op, Result>,
): void {
  const { operations } = history
  const { heights, indexes } = placement
  let highest: number | null = null
  for (const event of eventsOf(history)) {
    const number = Math.abs(event) - 1
    const operation = operations[number]!
    if (!isPlaced(placement, number)) continue
    if (event < 0) {
      // Only a client that knows that its operation was executed has seen it complete.
      if (operation.outcome.kind !== 'ok') continue
      if (highest === null || order(placement, highest, number) < 0) highest = number
      continue
    }
    if (highest === null) continue
    const compared = order(placement, highest, number)
    if (compared < 0 || (compared === 0 && indexes[number] === afterBlock)) continue
    const earlier = operations[highest]!
    const earlierPlace = placeName(heights[highest]!, indexes[highest]!)
    const place = placeName(heights[number]!, indexes[number]!)
    log.add('real-time-order', [earlier, operation], () => {
      const [before, after] = [describeOperation(model, earlier), describeOperation(model, operation)]
      return `${before} completed first and stands ${earlierPlace}, but ${after} stands ${place}`
    })
  }
}

function order({ heights, indexes }: Placement, left: number, right: number): number {
  return compare(heights[left]!, heights[right]!) || compare(indexes[left]!, indexes[right]!)
}

/** Not a difference: between two reads of one height that would be no number. */
function compare(left: number, right: number): number {
  if (left < right) return -1
  return left > right ? 1 : 0
}

/** By the events' order: the operation's number + 1 for its invocation, the negative for its completion. */
function eventsOf<Op, Result>(history: History<Op, Result>): Int32Array {
  const events = new Int32Array(history.eventsTotal)
  for (const [number, { invokedEvent, completedEvent }] of history.operations.entries()) {
    events[invokedEvent] = number + 1
    if (completedEvent !== null) events[completedEvent] = -number - 1
  }
  return events
}
