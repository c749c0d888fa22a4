// A line for each recorded sweep: what was run, on which sources, and what it came to.

import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from '../options.ts'

export const recordFile = 'docs/sweeps.jsonl'

/** Asked for before the sweep runs: hours of work are not to end in "no such folder". */
export function openRecord(sources: string): (result: object) => void {
  if (!existsSync(dirname(recordFile))) throw outside()
  const head = {
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD'),
    // Uncommitted changes are in the hash of the sources, not in the commit.
    modified: git('status', '--porcelain', '--', 'src') !== '',
    sources,
    node: process.version,
  }
  return (result) => appendFileSync(recordFile, `${JSON.stringify({ ...head, ...result })}\n`)
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    throw outside()
  }
}

function outside(): UsageError {
  return new UsageError(`--record writes ${recordFile} with the commit: run it in the repository's folder`)
}
