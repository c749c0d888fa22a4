/**
 * What becomes of a replica whose log is lost. Its votes cannot be repaired from anyone, so it gets a log anew that abstains for good:
 * it follows, serves, and promises nothing under its key. Only an operator's word (`rejoin`) starts this; a log that is sound is opened as
 * it is, whatever was asked for.
 *
 * WHOEVER CARRIES IT OUT first makes the new log in a place of its own, whole and durable, then moves the old one aside, and then
 * the new one to where the old one was. Interrupted anywhere, there is the old log, none, or the new one: never one that votes.
 */

import type { Crc32, Directory } from './file-port.ts'
import { readNote, rejoinStep, type LogRefusal, type LogRefusalCode, type RecoveredLog } from './recovery.ts'

/** A directory that another release wrote is not lost, nor is one that belongs to somebody else. */
const lostCodes: ReadonlySet<LogRefusalCode> = new Set<LogRefusalCode>([
  'ERR_LOG_EMPTY_DIRECTORY',
  'ERR_LOG_CORRUPT',
  'ERR_LOG_UNREADABLE',
  'ERR_LOG_OUTDATED',
])

export type StartPlan =
  | { kind: 'open'; recovered: RecoveredLog }
  /** Set aside what is there, and make a log that abstains. */
  | { kind: 'renew'; why: LogRefusal }
  | { kind: 'refuse'; refusal: LogRefusal }

export function planStart(recovered: RecoveredLog | LogRefusal, rejoin: boolean): StartPlan {
  if (recovered.ok) return { kind: 'open', recovered }
  if (rejoin && lostCodes.has(recovered.code)) return { kind: 'renew', why: recovered }
  return { kind: 'refuse', refusal: recovered }
}

/**
 * A log that is sound and whose last start is not newer than one that others have seen of this replica (`seen`; 0: none) is an old copy: since it
 * was made, the replica has promised what this log does not know.
 */
export function refuseOldCopy(recovered: RecoveredLog | LogRefusal, seen: number): RecoveredLog | LogRefusal {
  if (!recovered.ok || seen === 0 || recovered.incarnation > seen) return recovered
  const message = `the log is an old copy: others have seen incarnation ${seen} of this replica, and it ends at ${recovered.incarnation}; ${rejoinStep}`
  return { ok: false, code: 'ERR_LOG_OUTDATED', message }
}

/** A claim above it is a lie: whoever counts on from here keeps within exact integers. */
export const incarnationMax: number = 2 ** 52

/**
 * One that no start of this replica has had: peers would refuse another. What is left of the old log may not tell, and then only the
 * clock rises in every life of a replica: it has started less than once a millisecond.
 */
export function unusedIncarnation(
  old: { directory: Directory; crc32: Crc32 } | null,
  known: { wallMs: number; seen: number },
): number {
  const noted = old === null ? null : readNote(old.directory, old.crc32)
  // The note may be one start behind.
  const left = noted === null ? 0 : noted.incarnation + 1
  return Math.min(incarnationMax, Math.max(left, known.seen + 1, Math.floor(known.wallMs)))
}
