// Where each operation of a history stands in the decided order, and whether that order is one: each operation in it
// was invoked by a client, was executed once, at a place of its own, and where its client was told.

import type { History, Operation } from './history.ts'
import type { Model } from './model.ts'
import { describeOperation, type ViolationLog } from './violation.ts'

/** One operation as executed, from the simulator's world. What sessions kept from running again is not in the list. */
export interface DecidedOperation {
  readonly height: number
  readonly index: number
  readonly client: number
  readonly id: number
}

/** The index of a read that saw the state after all of a block. */
export const afterBlock = Infinity
const nowhere = -1

export interface Placement {
  /** By operation of the history: the height at which it stands, or -1. */
  readonly heights: Float64Array
  /** By operation of the history: its place in the block, or `afterBlock`. */
  readonly indexes: Float64Array
  /** Operations of the history that were executed, first ones first. */
  readonly ordered: readonly number[]
  /** Operations that were answered from the state after a block, in the history's order. */
  readonly observed: readonly number[]
  /** Reads whose client does not know where they stand: replay has nothing to say about them. */
  readonly unplacedTotal: number
}

export function isPlaced(placement: Placement, operation: number): boolean {
  return placement.heights[operation]! !== nowhere
}

interface Placing<State, Op, Result> {
  readonly model: Model<State, Op, Result>
  readonly history: History<Op, Result>
  readonly decided: readonly DecidedOperation[]
  /** The last decided height; blocks without operations count. */
  readonly heightDecided: number
  readonly log: ViolationLog<Op, Result>
}

export function placeOperations<State, Op, Result>(placing: Placing<State, Op, Result>): Placement {
  const { model, history, log, heightDecided } = placing
  const { operations } = history
  const heights = new Float64Array(operations.length).fill(nowhere)
  const indexes = new Float64Array(operations.length)
  const ordered = placeDecided(placing, heights, indexes)
  const observed: number[] = []
  let unplacedTotal = 0

  for (const [number, operation] of operations.entries()) {
    const { outcome } = operation
    if (outcome.kind !== 'ok') continue
    const { position } = outcome
    const name = (): string => describeOperation(model, operation)
    if (heights[number] !== nowhere) {
      if (position !== undefined && !standsAt(position, heights[number]!, indexes[number]!)) {
        const executed = placeName(heights[number]!, indexes[number]!)
        const told = placeName(position.height, position.kind === 'ordered' ? position.index : afterBlock)
        log.add(
          'position-agreed',
          [operation],
          () => `${name()} stands ${told} for its client, but ${executed} of what was decided`,
        )
      }
    } else if (position?.kind === 'ordered' || !model.isRead(operation.operation)) {
      log.add('acknowledged-kept', [operation], () => `${name()} was acknowledged, but is nowhere in what was decided`)
    } else if (position === undefined) {
      unplacedTotal += 1
    } else if (!isHeight(position.height) || position.height > heightDecided) {
      const explain = (): string =>
        `${name()} was answered at height ${position.height}, but ${heightDecided} was the last`
      log.add('position-decided', [operation], explain)
    } else {
      heights[number] = position.height
      indexes[number] = afterBlock
      observed.push(number)
    }
  }
  return { heights, indexes, ordered, observed, unplacedTotal }
}

/** Enters the first execution of each operation, and returns the operations in the order of their execution. */
function placeDecided<State, Op, Result>(
  { model, history, decided, heightDecided, log }: Placing<State, Op, Result>,
  heights: Float64Array,
  indexes: Float64Array,
): number[] {
  const numberOf = numbersByIdentity(history.operations)
  const ordered: number[] = []
  let previous: DecidedOperation | undefined
  for (const entry of inOrder(decided)) {
    const { height, index, client, id } = entry
    const number = numberOf(client, id)
    const known = number === undefined ? [] : [history.operations[number]!]
    const name = (): string =>
      known[0] === undefined ? `client ${client}'s operation ${id}` : describeOperation(model, known[0])
    const place = placeName(height, index)
    if (previous !== undefined && previous.height === height && previous.index === index) {
      const other = `operation ${previous.id} of client ${previous.client}`
      log.add('position-unique', known, () => `${name()} was executed ${place}, where ${other} stands already`)
    }
    previous = entry
    if (height > heightDecided) {
      log.add(
        'position-decided',
        known,
        () => `${name()} was executed ${place}, but ${heightDecided} was the last height`,
      )
    }
    if (number === undefined) {
      log.add('invoked-first', [], () => `${name()} was executed ${place}, but no client has invoked it`)
      continue
    }
    if (heights[number] !== nowhere) {
      const first = placeName(heights[number]!, indexes[number]!)
      log.add('executed-once', known, () => `${name()} was executed ${place}, after it had been executed ${first}`)
      continue
    }
    if (known[0]!.outcome.kind === 'failed-definitely') {
      log.add('failure-definite', known, () => `${name()} was executed all the same, ${place}`)
    }
    heights[number] = height
    indexes[number] = index
    ordered.push(number)
  }
  return ordered
}

function inOrder(decided: readonly DecidedOperation[]): readonly DecidedOperation[] {
  let sorted = true
  for (const [i, { height, index }] of decided.entries()) {
    if (!isHeight(height) || !isHeight(index))
      throw new RangeError(`(${height}, ${index}) is no position of a decided operation`)
    const previous = decided[i - 1]
    if (previous !== undefined && (previous.height - height || previous.index - index) > 0) sorted = false
  }
  return sorted ? decided : [...decided].sort((a, b) => a.height - b.height || a.index - b.index)
}

function numbersByIdentity(
  operations: readonly { readonly client: number; readonly id: number }[],
): (client: number, id: number) => number | undefined {
  const byClient = new Map<number, Map<number, number>>()
  for (const [number, { client, id }] of operations.entries()) {
    let byId = byClient.get(client)
    if (byId === undefined) byClient.set(client, (byId = new Map()))
    if (byId.has(id)) throw new RangeError(`client ${client} has two operations ${id} in one history`)
    byId.set(id, number)
  }
  return (client, id) => byClient.get(client)?.get(id)
}

function standsAt(
  position: NonNullable<Extract<Operation['outcome'], { kind: 'ok' }>['position']>,
  height: number,
  index: number,
): boolean {
  return position.kind === 'ordered' && position.height === height && position.index === index
}

function isHeight(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

export function placeName(height: number, index: number): string {
  return index === afterBlock ? `after height ${height}` : `at height ${height}, index ${index}`
}
