// Where CPU goes: microseconds an operation of each process, by what they are spent on, with the flame graphs beside the report.

import { cpuCategories } from './cpu-categories.ts'
import { escaped } from './markup.ts'
import type { Report, RoundReport } from './report.ts'
import { shownNumber } from './columns.ts'
import { profiledGenerator } from '../profiles.ts'

export interface ProcessCost {
  process: string
  flameGraph: string
  /** For one operation. */
  microseconds: number
  byCategory: { category: string; microseconds: number }[]
}

/** Of a profiled round: what the kernel counted, shared out as the profiles say. */
export function costsOf({ processes, results, profiles }: RoundReport): ProcessCost[] {
  const result = results.at(-1)
  if (result === undefined || result.operations === 0) return []
  return profiles.map(({ process, shares, flameGraph }) => {
    const index = processes.indexOf(process)
    const seconds =
      process === profiledGenerator ? result.cpuSeconds.generator : (result.cpuSeconds.processes[index] ?? 0)
    const microseconds = (seconds * 1e6) / result.operations
    const byCategory = ([...cpuCategories, 'other threads'] as const).map((category) => ({
      category,
      microseconds: shares[category] * microseconds,
    }))
    return { process, flameGraph, microseconds, byCategory }
  })
}

export function profileSection({ rounds }: Report): string[] {
  const profiled = rounds.filter(({ profiles }) => profiles.length > 0)
  if (profiled.length === 0) return []
  return [
    '<h2>Where CPU goes</h2>',
    '<p class="note">CPU µs for one operation, of each process, in a round with a profiler in each: it costs something itself. Other threads are those of the disk, of verification, and of the garbage collector. A name leads to the flame graph.</p>',
    ...profiled.flatMap(drawRound),
  ]
}

function drawRound(round: RoundReport): string[] {
  const { system, replicas } = round.plan
  const titles = ['process', 'all', ...cpuCategories, 'other threads']
  const rows = costsOf(round).map(({ process, flameGraph, microseconds, byCategory }) => {
    const cells = [microseconds, ...byCategory.map((one) => one.microseconds)]
    const name = `<a href="${escaped(flameGraph)}">${escaped(process)}</a>`
    return `<tr><td>${name}</td>${cells.map((cell) => `<td>${shownNumber(cell)}</td>`).join('')}</tr>`
  })
  const head = titles.map((title) => `<th>${escaped(title)}</th>`).join('')
  return [`<h3>${escaped(system)}, ${replicas} replicas</h3>`, `<table><tr>${head}</tr>\n${rows.join('\n')}</table>`]
}
