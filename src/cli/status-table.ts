// How a network looks: a line for each replica of its file, whether it answers or not.

import type { ProtocolName, ReplicaId } from '../kernel/ids.ts'
import { table } from './output.ts'
import type { ReplicaReport } from './replica-report.ts'

export interface SeenReplica {
  replica: ReplicaId
  name: string
  /** Null: it did not answer. */
  report: ReplicaReport | null
  /** Of the client's own question. */
  roundTripMs: number | null
}

export function statusTable(seen: readonly SeenReplica[], protocol: ProtocolName): string[] {
  const viewTitle = protocol === 'raft' ? 'term' : 'view'
  const titles = [
    'replica',
    'role',
    viewTitle,
    'leader',
    'height',
    'executed',
    'behind',
    'round trip',
    'last contact',
    'phase',
  ]
  const highest = highestDecided(seen)
  return table([titles, ...seen.map((one) => rowOf(one, highest))])
}

function rowOf({ replica, name, report, roundTripMs }: SeenReplica, highest: number): string[] {
  const title = `${replica} (${name})`
  if (report === null) return [title, 'away', '-', '-', '-', '-', '-', '-', '-', '-']
  const { role, view, leader, decidedHeight, executedHeight, silentMs, phase, stalled } = report
  return [
    title,
    // What stands behind a colon explains it, and stands below the table too.
    role.split(':')[0]!,
    shownCount(view),
    shownCount(leader),
    shownCount(decidedHeight),
    shownCount(executedHeight),
    shownCount(behind(report, highest)),
    shownMs(roundTripMs),
    shownMs(silentMs),
    stalled ? `${phase} (its disk is full)` : phase,
  ]
}

export function highestDecided(seen: readonly SeenReplica[]): number {
  return Math.max(0, ...seen.map(({ report }) => report?.decidedHeight ?? 0))
}

/** How many heights it has yet to execute, of those that anybody says are decided. */
export function behind({ executedHeight }: ReplicaReport, highest: number): number | null {
  return executedHeight === null ? null : Math.max(0, highest - executedHeight)
}

function shownCount(count: number | null): string {
  return count === null ? '-' : String(count)
}

function shownMs(ms: number | null): string {
  return ms === null ? '-' : `${ms} ms`
}
