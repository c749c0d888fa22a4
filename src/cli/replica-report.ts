// What a replica says of itself, read as from somebody who may lie: every field is checked, and every text made harmless.

import { visibleText } from './byte-strings.ts'

export interface ReplicaReport {
  role: string
  view: number | null
  leader: number | null
  decidedHeight: number | null
  executedHeight: number | null
  phase: string
  protocol: string
  /** The largest silence towards a connected peer. */
  silentMs: number | null
  stalled: boolean
  /** `abstains`: it follows without a vote. */
  voice: string
  /** What its operator should know and do. */
  warnings: string[]
}

/** More than any report of a network of our size has. */
const reportCharactersMax = 256 * 1024
const textCharactersMax = 120
const warningCharactersMax = 300
const warningsMax = 8
const peersMax = 1000

/** Null for what is no report. */
export function readReport(report: string): ReplicaReport | null {
  if (report.length > reportCharactersMax) return null
  let value: unknown
  try {
    value = JSON.parse(report)
  } catch {
    return null
  }
  if (!isObject(value)) return null
  return {
    role: textOf(value['role']),
    view: countOf(value['view']),
    leader: countOf(value['leader']),
    decidedHeight: countOf(value['decidedHeight']),
    executedHeight: countOf(value['executedHeight']),
    phase: textOf(value['phase']),
    protocol: textOf(value['protocol']),
    silentMs: largestSilence(value['peers']),
    stalled: value['stalled'] === true,
    voice: textOf(value['voice']),
    warnings: textsOf(value['warnings']),
  }
}

function largestSilence(peers: unknown): number | null {
  if (!Array.isArray(peers)) return null
  const silences = peers.slice(0, peersMax).flatMap((peer: unknown) => {
    const silentMs = isObject(peer) && peer['connected'] === true ? peer['silentMs'] : null
    return typeof silentMs === 'number' && Number.isFinite(silentMs) && silentMs >= 0 ? [Math.round(silentMs)] : []
  })
  return silences.length === 0 ? null : Math.max(...silences)
}

/** On one line, short, and without anything that a terminal obeys. */
function textOf(value: unknown, charactersMax = textCharactersMax): string {
  if (typeof value !== 'string' || value === '') return '-'
  const short = value.length > charactersMax ? `${value.slice(0, charactersMax)}…` : value
  return visibleText(short)
}

function textsOf(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  const texts = value.slice(0, warningsMax).filter((one: unknown) => typeof one === 'string' && one !== '')
  return texts.map((one: unknown) => textOf(one, warningCharactersMax))
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
