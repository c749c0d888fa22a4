// A short hand for histories: what a client saw, and where the world says it was executed.

import { historyOf, type History, type Position, type TimedOperation } from '../../../src/simulator/checkers/history.ts'
import type { HistoryOperation, HistoryResult } from '../../../src/simulator/checkers/key-value-model.ts'
import type { DecidedOperation } from '../../../src/simulator/checkers/placement.ts'

export type Place = readonly [height: number, index: number]

export interface Entry {
  readonly timed: Omit<TimedOperation, 'id'>
  /** Each place at which it was executed. */
  readonly executed: readonly Place[]
}

export const put = (key: string, value: string): HistoryOperation => ({ kind: 'put', key, value })
export const get = (key: string): HistoryOperation => ({ kind: 'get', key })
export const remove = (key: string): HistoryOperation => ({ kind: 'delete', key })
export const increment = (key: string): HistoryOperation => ({ kind: 'increment', key })
export const swap = (key: string, expected: string | null, value: string): HistoryOperation => ({
  kind: 'compareAndSwap',
  key,
  expected,
  value,
})

export const done: HistoryResult = { kind: 'done' }
export const refused: HistoryResult = { kind: 'refused' }
export const found = (value: string | null): HistoryResult => ({ kind: 'value', value })
export const counted = (value: number): HistoryResult => ({ kind: 'number', value })
export const swapped = (swapped: boolean): HistoryResult => ({ kind: 'swapped', swapped })
export const deleted = (existed: boolean): HistoryResult => ({ kind: 'deleted', existed })

type Span = readonly [invokedAtUs: number, completedAtUs: number]

function entry(client: number, [invokedAtUs, completedAtUs]: Span, operation: HistoryOperation) {
  return { client, invokedAtUs, completedAtUs, operation }
}

/** Executed where its client was told. */
export function ordered(
  client: number,
  span: Span,
  operation: HistoryOperation,
  result: HistoryResult,
  place: Place,
): Entry {
  return told(client, span, operation, result, { kind: 'ordered', height: place[0], index: place[1] }, [place])
}

/** Answered from the state after a block. */
export function observed(
  client: number,
  span: Span,
  operation: HistoryOperation,
  result: HistoryResult,
  height: number,
): Entry {
  return told(client, span, operation, result, { kind: 'observed', height }, [])
}

/** Whatever the client was told, and whatever happened. */
export function told(
  client: number,
  span: Span,
  operation: HistoryOperation,
  result: HistoryResult,
  position: Position | null,
  executed: readonly Place[],
): Entry {
  const outcome = { kind: 'ok' as const, result, ...(position === null ? {} : { position }) }
  return { timed: { ...entry(client, span, operation), outcome }, executed }
}

export function failed(
  client: number,
  span: Span,
  operation: HistoryOperation,
  executed: readonly Place[] = [],
): Entry {
  return { timed: { ...entry(client, span, operation), outcome: { kind: 'failed-definitely' } }, executed }
}

export function unknown(
  client: number,
  invokedAtUs: number,
  operation: HistoryOperation,
  executed: readonly Place[] = [],
): Entry {
  const timed = { client, invokedAtUs, completedAtUs: null, operation, outcome: { kind: 'unknown' as const } }
  return { timed, executed }
}

/** Its client learnt at the end of the span that it will not learn more. */
export function gaveUp(client: number, span: Span, operation: HistoryOperation, executed: readonly Place[]): Entry {
  return { timed: { ...entry(client, span, operation), outcome: { kind: 'unknown' } }, executed }
}

/** Operations are numbered from 1 as they are written down. */
export function recordOf(entries: readonly Entry[]): { history: History; decided: DecidedOperation[] } {
  const history = historyOf(entries.map(({ timed }, i) => ({ ...timed, id: i + 1 })))
  const decided = entries.flatMap(({ timed, executed }, i) =>
    executed.map(([height, index]) => ({ height, index, client: timed.client, id: i + 1 })),
  )
  return { history, decided }
}
