// What a power-loss run has done and found, one batch after the other.

import type { VolatileCounts } from './volatile-directory.ts'

export interface KillReport {
  kill: number
  /** Under load, or within the first milliseconds of a start. */
  moment: 'load' | 'recovery'
  /** Whose power was cut, at once. */
  cut: number[]
  /** Came back only when the others served again. */
  late: number | null
  /** What memory took with it. */
  lostWrites: number
  lostBytes: number
  lostNames: number
  /** Operations acknowledged so far in this batch. */
  acknowledged: number
}

export interface PowerLossReport {
  kills: number
  killsInRecovery: number
  processesKilled: number
  acknowledged: number
  unknown: number
  lostWrites: number
  lostBytes: number
  lostNames: number
  /** Writes that reached the disk before they were synced, whole or torn. */
  leaks: number
  tornTailsCut: number
  segmentsMade: number
  directorySyncs: number
  elapsedMs: number
  /** What a correct network never shows; null if there was nothing. */
  problem: string | null
}

export function emptyReport(): PowerLossReport {
  return {
    kills: 0,
    killsInRecovery: 0,
    processesKilled: 0,
    acknowledged: 0,
    unknown: 0,
    lostWrites: 0,
    lostBytes: 0,
    lostNames: 0,
    leaks: 0,
    tornTailsCut: 0,
    segmentsMade: 0,
    directorySyncs: 0,
    elapsedMs: 0,
    problem: null,
  }
}

/** Adds what the lives that ended just now had counted. */
export function addCounts(report: PowerLossReport, counts: readonly VolatileCounts[]): void {
  for (const { leaks, cuts, created, directorySyncs } of counts) {
    report.leaks += leaks
    report.tornTailsCut += cuts
    report.segmentsMade += created
    report.directorySyncs += directorySyncs
  }
}

/** The second is added to the first. */
export function addReport(total: PowerLossReport, { problem, ...numbers }: PowerLossReport): void {
  for (const [name, value] of Object.entries(numbers)) total[name as keyof typeof numbers] += value
  total.problem ??= problem
}

export function sum(counts: readonly VolatileCounts[], name: keyof VolatileCounts): number {
  return counts.reduce((total, one) => total + one[name], 0)
}
