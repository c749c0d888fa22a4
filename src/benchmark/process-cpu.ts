// What other processes cost, as the kernel counts it.

import { readFileSync } from 'node:fs'

const ticksPerSecond = 100

/** User and system time, from the fields behind the command's name. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
