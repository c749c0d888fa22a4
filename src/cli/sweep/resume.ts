// A sweep that was interrupted goes on where it stopped: finished chunks stand in a file, a line each, under the options and the
// sources that they are true of.

import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from '../options.ts'
import type { Chunk, SweepOptions } from './run-chunk.ts'
import type { Summary } from './summary.ts'

export interface ResumeFile {
  done: readonly { chunk: Chunk; summary: Summary }[]
  add(chunk: Chunk, summary: Summary): void
}

const resumeBytesMax = 256 * 1024 * 1024

export function openResume(path: string, options: SweepOptions, sources: string): ResumeFile {
  const head = { options, sources }
  const add = (chunk: Chunk, summary: Summary): void => appendFileSync(path, `${JSON.stringify({ chunk, summary })}\n`)
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${JSON.stringify(head)}\n`)
    return { done: [], add }
  }
  if (statSync(path).size > resumeBytesMax)
    throw new UsageError(`${path} is too large to be a sweep's file: name another`)
  const [first, ...lines] = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  const found = parse(path, first ?? '') as Partial<typeof head>
  if (JSON.stringify(found.options) !== JSON.stringify(options)) {
    throw new UsageError(`${path} belongs to a sweep with other options: name another file, or give the same options`)
  }
  if (found.sources !== sources) {
    throw new UsageError(
      `${path} belongs to other sources: its results are no longer true, start again with another file`,
    )
  }
  return { done: lines.map((line) => parse(path, line) as ResumeFile['done'][number]), add }
}

function parse(path: string, line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new UsageError(`${path} is no file of a sweep: name another`)
  }
}
