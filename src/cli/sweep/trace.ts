// The timeline of one history: virtual time, actor, what, detail.

import { closeSync, openSync, writeSync } from 'node:fs'
import type { SeedReport, TraceLine } from '../../simulator/report.ts'
import { UsageError } from '../options.ts'

export interface TraceFile {
  line(line: TraceLine): void
  /** Writes the verdict and closes. */
  end(report: SeedReport): void
}

/** Lines are written together: one by one they cost more than the run. */
const pendingCharactersMax = 64 * 1024

/** `-` is the screen. */
export function openTrace(path: string): TraceFile {
  const write = path === '-' ? (text: string): void => void process.stdout.write(text) : null
  const file = write === null ? open(path) : null
  let pending = ''
  const flush = (): void => {
    if (file === null) write!(pending)
    else writeAll(file, Buffer.from(pending))
    pending = ''
  }
  return {
    line: (line) => {
      pending += `${formatLine(line)}\n`
      if (pending.length >= pendingCharactersMax) flush()
    },
    end: (report) => {
      pending += `${formatVerdict(report)}\n`
      flush()
      if (file !== null) closeSync(file)
    },
  }
}

function formatLine({ timeUs, actor, what, detail }: TraceLine): string {
  return `${formatTime(timeUs).padStart(12)} ms  ${actor.padEnd(10)}  ${what}${detail === '' ? '' : `: ${detail}`}`
}

function formatVerdict({ traceHash, verdict, violation, excuse }: SeedReport): string {
  const head = `history ${traceHash}: ${verdict}`
  if (violation !== null) {
    return `${head} at ${formatTime(violation.timeUs)} ms, ${violation.invariant}: ${violation.explanation}`
  }
  return excuse === null ? head : `${head}, ${excuse}`
}

function formatTime(timeUs: number): string {
  return (timeUs / 1000).toFixed(3)
}

function open(path: string): number {
  try {
    return openSync(path, 'w')
  } catch {
    throw new UsageError(`--trace is ${path}, and must be a file that can be written, or - for the screen`)
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
}
