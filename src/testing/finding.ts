// What is found in a state machine: which rule it breaks, and the sentence that says how.

/** The rules, in the order in which they are asked about: each takes it for granted that those before it hold. */
export const rules = [
  'commands',
  'codecs',
  'validate',
  'apply',
  'limits',
  'chunks',
  'chunk-versions',
  'frozen-snapshot',
  'invariant',
  'determinism',
  'late-snapshot',
  'restore',
  'queries',
  'rollback',
] as const
export type Rule = (typeof rules)[number]

/** Unwinds a run: caught in check-state-machine.ts, and by nobody else. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly rule: Rule
  /** Commands that had been applied when it showed, the one at fault included. */
  readonly commandsSeen: number

  constructor(rule: Rule, explanation: string, commandsSeen: number) {
    super(explanation)
    this.rule = rule
    this.commandsSeen = commandsSeen
  }
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

const textLengthMax = 200

/** A value for a person: JSON where it has any. */
export function textOf(value: unknown): string {
  const text = value instanceof Uint8Array ? bytesText(value) : jsonText(value)
  return text.length <= textLengthMax ? text : `${text.slice(0, textLengthMax)}…`
}

export function bytesText(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, 40), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return bytes.length <= 40 ? `0x${shown}` : `0x${shown}… (${bytes.length} bytes)`
}

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value, plain) ?? String(value)
  } catch {
    return String(value)
  }
}

function plain(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return bytesText(value)
  return typeof value === 'bigint' ? `${value}n` : value
}
