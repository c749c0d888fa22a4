// A sweep that was interrupted goes on where it stopped: finished chunks stand in a file, a line each, under the options and the
// sources that they are true of.

import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from '../options.ts'
import type { Chunk } from './chunks.ts'
import type { SweepOptions } from './run-chunk.ts'
import { isRecord, isSummary, type Summary } from './summary.ts'

export interface FinishedChunk {
  chunk: Chunk
  summary: Summary
}

export interface ResumeFile {
  done: readonly FinishedChunk[]
  add(chunk: Chunk, summary: Summary): void
}

const resumeBytesMax = 256 * 1024 * 1024

export function openResume(path: string, options: SweepOptions, sources: string): ResumeFile {
  const add = (chunk: Chunk, summary: Summary): void => appendFileSync(path, `${JSON.stringify({ chunk, summary })}\n`)
  try {
    if (existsSync(path) && statSync(path).size > 0) return { done: readDone(path, options, sources), add }
    makeFolder(dirname(path))
    writeFileSync(path, `${JSON.stringify({ options, sources })}\n`)
    return { done: [], add }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`--resume is ${path}, and must be a file that can be read and written`)
  }
}

/** Not `recursive`: that goes round for ever where a parent refuses children with ENOENT, as /proc does. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path)
}

function readDone(path: string, options: SweepOptions, sources: string): FinishedChunk[] {
  if (statSync(path).size > resumeBytesMax)
    throw new UsageError(`${path} is too large to be a sweep's file: name another`)
  const text = readFileSync(path, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  const [first, ...lines] = whole.split('\n').filter((line) => line !== '')
  const head = parse(path, first ?? '')
  if (!isRecord(head) || !isRecord(head['options'])) throw noSweep(path)
  if (JSON.stringify(head['options']) !== JSON.stringify(options)) {
    throw new UsageError(`${path} belongs to a sweep with other options: name another file, or give the same options`)
  }
  if (head['sources'] !== sources) {
    throw new UsageError(
      `${path} belongs to other sources: its results are no longer true, start again with another file`,
    )
  }
  const done = lines.map((line) => finishedChunk(path, parse(path, line)))
  // A sweep that was killed while it wrote left half a line, and its chunk is simply not done.
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole))
  return done
}

function finishedChunk(path: string, value: unknown): FinishedChunk {
  if (!isRecord(value) || !isRecord(value['chunk']) || !isSummary(value['summary'])) throw noSweep(path)
  const { from, to } = value['chunk']
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) throw noSweep(path)
  return { chunk: { from: Number(from), to: Number(to) }, summary: value['summary'] }
}

function parse(path: string, line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw noSweep(path)
  }
}

function noSweep(path: string): UsageError {
  return new UsageError(`${path} is no file of a sweep: name another`)
}
