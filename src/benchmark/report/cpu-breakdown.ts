// Where the CPU of one process went: shares by category from a profile, and microseconds an operation where the kernel's count is known.

import { categoryOfFrame, cpuCategories, type CpuCategory } from './cpu-categories.ts'
import type { CpuProfile, CpuUsage, FrameTree, TimeWindow } from './cpu-profile.ts'

export type CpuBreakdown = Record<CpuCategory | 'other threads', number>

/** Microseconds of the profiled thread, by category. */
export function threadBreakdown(tree: FrameTree): Record<CpuCategory, number> {
  const sums = Object.fromEntries(cpuCategories.map((category) => [category, 0])) as Record<CpuCategory, number>
  const waiting: { frame: FrameTree; caller: CpuCategory }[] = [{ frame: tree, caller: 'other' }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { frame, caller } = next
    const category = categoryOfFrame(frame.name, frame.url) ?? caller
    sums[category] += frame.selfUs
    for (const child of frame.children) waiting.push({ frame: child, caller: category })
  }
  return sums
}

/**
 * Shares of a process's CPU that add up to 1. A profile sees one thread, and counts waiting for a core as running; the kernel counts CPU,
 * of all threads: so categories share what the kernel says of the thread, and the rest of the process stands beside them.
 */
export function cpuShares(thread: Readonly<Record<CpuCategory, number>>, threadShare: number): CpuBreakdown {
  const all = cpuCategories.reduce((sum, category) => sum + thread[category], 0)
  const shares = cpuCategories.map((category) => [category, all === 0 ? 0 : (thread[category] / all) * threadShare])
  return { ...Object.fromEntries(shares), 'other threads': 1 - threadShare } as CpuBreakdown
}

/** How much of a process's CPU the profiled thread had; 1 where nobody counted. */
export function threadShareOf({ quorate }: CpuProfile, window: TimeWindow | null): number {
  const used = usageWithin(quorate?.usage ?? [], window)
  return used === null || used.processSeconds === 0 ? 1 : Math.min(1, used.threadSeconds / used.processSeconds)
}

function usageWithin(usage: readonly CpuUsage[], window: TimeWindow | null): Omit<CpuUsage, 'atUs'> | null {
  const within = usage.filter(({ atUs }) => window === null || (atUs >= window.fromUs && atUs <= window.toUs))
  const [first, last] = [within[0], within.at(-1)]
  if (first === undefined || last === undefined || first === last) return null
  return {
    processSeconds: last.processSeconds - first.processSeconds,
    threadSeconds: last.threadSeconds - first.threadSeconds,
  }
}
