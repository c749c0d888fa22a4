// Outcomes in their encoding, which is all that execution needs of most of them.

import { outcomeCodec, refusalCertainty, type Outcome, type RefusalCode } from '../kernel/outcome.ts'
import { encode } from '../wire/codec.ts'

const executedTag = 1
const executedHeadBytes = 5

export const operationFailed: Uint8Array = encode(outcomeCodec, { kind: 'operation-failed' })
export const cancelled: Uint8Array = encode(outcomeCodec, { kind: 'cancelled' })
export const closed: Uint8Array = encode(outcomeCodec, { kind: 'closed' })

const refusals = new Map<RefusalCode, Uint8Array>(
  (Object.keys(refusalCertainty) as RefusalCode[]).map((code) => [code, encodeOutcome({ kind: 'refused', code })]),
)

export function encodeOutcome(outcome: Outcome): Uint8Array {
  return encode(outcomeCodec, outcome)
}

export function refusal(code: RefusalCode): Uint8Array {
  return refusals.get(code)!
}

/** The same bytes as the codec's, which test/execution/outcomes.test.ts holds it to; this one runs once an operation. */
export function executed(result: Uint8Array): Uint8Array {
  const { length } = result
  const bytes = new Uint8Array(executedHeadBytes + length)
  bytes[0] = executedTag
  bytes[1] = length & 0xff
  bytes[2] = (length >>> 8) & 0xff
  bytes[3] = (length >>> 16) & 0xff
  bytes[4] = length >>> 24
  bytes.set(result, executedHeadBytes)
  return bytes
}
