// Two records of one block: equal, or the first thing that differs, in words.

import { executedHeaderCodec } from '../kernel/executed-header.ts'
import { outcomeCodec } from '../kernel/outcome.ts'
import type { RestoredPartChunk } from '../execution/state-parts.ts'
import type { RestoredChunk } from '../execution/state-chunks.ts'
import type { ValueCodec } from '../execution/value-codec.ts'
import { decode, encode } from '../wire/codec.ts'
import { textOf } from './finding.ts'
import type { ExecutedRecord } from './machine-run.ts'
import type { PlannedBlock } from './planned-blocks.ts'
import { equalBytes } from '../wire/equal-bytes.ts'

/** Null if they are equal. The results come first: whoever looks for the cause starts there. */
export function differenceOf<Command, Query, Result>(
  { commands }: PlannedBlock<Command, Query>,
  first: ExecutedRecord,
  second: ExecutedRecord,
  result: ValueCodec<Result>,
): string | null {
  const { height } = first.header
  for (const [index, outcome] of first.outcomes.entries()) {
    const other = second.outcomes[index]!
    if (equalBytes(outcome, other)) continue
    const command = textOf(commands[index]!.command)
    return `at height ${height} the command ${command} led to ${outcomeText(outcome, result)} on one and to ${outcomeText(other, result)} on the other`
  }
  if (first.state !== null && second.state !== null) {
    const chunks = chunkDifference(application(first.state), application(second.state))
    if (chunks !== null) return `at height ${height} the snapshots differ: ${chunks}`
  }
  const [left, right] = [first, second].map(({ header }) => encode(executedHeaderCodec, header))
  return equalBytes(left!, right!) ? null : `at height ${height} the executed headers differ`
}

export function chunkDifference(first: readonly RestoredChunk[], second: readonly RestoredChunk[]): string | null {
  for (const [index, chunk] of first.entries()) {
    const other = second[index]
    const name = JSON.stringify(chunk.id)
    if (other === undefined) return `chunk ${name} is missing in one`
    if (other.id !== chunk.id) return `chunk ${index} is ${name} in one and ${JSON.stringify(other.id)} in the other`
    if (!equalBytes(chunk.bytes, other.bytes)) {
      return `chunk ${name} is ${readable(chunk.bytes)} in one and ${readable(other.bytes)} in the other`
    }
  }
  return second.length > first.length ? `chunk ${JSON.stringify(second[first.length]!.id)} is missing in one` : null
}

/** The machine's own part of a state. */
export function application(state: readonly RestoredPartChunk[]): RestoredPartChunk[] {
  return state.filter(({ part }) => part === 'application')
}

function outcomeText<Result>(bytes: Uint8Array, result: ValueCodec<Result>): string {
  const outcome = decode(outcomeCodec, bytes)
  if (!outcome.ok) throw outcome.error
  if (outcome.value.kind !== 'executed') return textOf(outcome.value)
  const value = result.decode(outcome.value.result)
  return textOf(value.ok ? value.value : outcome.value.result)
}

/** Many states are text. */
export function readable(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return textOf(isPrintable(text) ? text : bytes)
  } catch {
    return textOf(bytes)
  }
}

function isPrintable(text: string): boolean {
  return text.length > 0 && [...text].every((character) => character >= ' ' || character === '\n')
}
