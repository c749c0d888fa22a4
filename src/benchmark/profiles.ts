// The profiles that the processes of a round have left in a folder: whose each is, where its CPU went while a point was measured, and how that looks.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cpuShares, threadBreakdown, threadShareOf, type CpuBreakdown } from './report/cpu-breakdown.ts'
import { frameTree, parseCpuProfile, type CpuProfile, type TimeWindow } from './report/cpu-profile.ts'
import { drawFlameGraph } from './report/flame-graph.ts'

export interface ReadProfile {
  process: string
  shares: CpuBreakdown
  flameGraph: string
}

export const profiledGenerator = 'load generator'

export function readProfiles(folder: string, what: string, window: TimeWindow): ReadProfile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))
  const read = names.flatMap((name) => {
    const profile = parseCpuProfile(readFileSync(join(folder, name), 'utf8'), name)
    const tree = frameTree(profile, window)
    const process = processOf(profile)
    // A helper that had nothing to do while the point was measured.
    if (process === null || tree.totalUs === 0) return []
    const shares = cpuShares(threadBreakdown(tree), threadShareOf(profile, window))
    return [{ process, shares, flameGraph: drawFlameGraph(tree, `${what}, ${process}`) }]
  })
  return read.sort((one, other) => one.process.localeCompare(other.process, 'en', { numeric: true }))
}

/** A replica was started with its folder; whoever was not is the round's own process. */
function processOf({ quorate }: CpuProfile): string | null {
  if (quorate === undefined) return null
  const dir = quorate.command[quorate.command.indexOf('--dir') + 1]
  return quorate.command.includes('--dir') && dir !== undefined ? basename(dir) : profiledGenerator
}
