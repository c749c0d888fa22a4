// Which process it is, told apart from a later one that got the same number.

import { readFileSync } from 'node:fs'

export interface ProcessIdentity {
  pid: number
  /** Clock ticks from the start of the machine to that of the process; null where the system does not tell (no /proc). */
  startTime: number | null
  /** Another after each start of the machine; null where the system does not tell. */
  bootId: string | null
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTime: readStat(process.pid)?.startTime ?? null, bootId: readBootId() }
}

/** Whether that process runs no more, for sure. What cannot be known counts as running. */
export function hasEnded(identity: ProcessIdentity): boolean {
  const bootId = readBootId()
  if (identity.bootId !== null && bootId !== null && identity.bootId !== bootId) return true
  if (!exists(identity.pid)) return true
  const stat = readStat(identity.pid)
  if (stat === null) return false
  // A zombie has given back its files, and may wait for its parent for ever.
  if (stat.state === 'Z' || stat.state === 'X') return true
  return identity.startTime !== null && identity.startTime !== stat.startTime
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Not being allowed to signal it shows that it is there.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function readStat(pid: number): { state: string; startTime: number } | null {
  const text = readText(`/proc/${pid}/stat`)
  if (text === null) return null
  // The second field is the program's name in parentheses, which may hold spaces and parentheses itself. State is the third of proc(5).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const startTime = Number(fields[19])
  return Number.isSafeInteger(startTime) ? { state: fields[0] ?? '', startTime } : null
}

function readBootId(): string | null {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? null
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
