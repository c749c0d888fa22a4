// Where a benchmark ran: figures of another machine mean little without it.

import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'

export interface Machine {
  cpuModel: string
  cores: number
  memoryMegabytes: number
  kernel: string
  node: string
  platform: string
}

export function thisMachine(): Machine {
  const all = cpus()
  return {
    cpuModel: (all[0]?.model ?? 'unknown').trim(),
    cores: Math.max(1, all.length),
    memoryMegabytes: Math.round(totalmem() / 2 ** 20),
    kernel: `${type()} ${release()}`,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  }
}

/** Of the sources that a folder is part of; null where they are not kept in git. */
export function commitOf(folder: string): string | null {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', 'HEAD')}${changed ? ' with changes' : ''}`
  } catch {
    return null
  }
}
