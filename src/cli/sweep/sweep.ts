// Runs a range of seeds over several processes, in chunks, until it is done, stopped, out of time, or has found enough.

import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { addFailure, addSummary, emptySummary, type Summary } from './summary.ts'
import type { Chunk, SweepOptions } from './run-chunk.ts'

export interface SweepPlan {
  options: SweepOptions
  chunks: readonly Chunk[]
  jobs: number
  /** Stops when so many seeds have failed. */
  stopAfter: number
  deadlineMs: number | null
  stopped: () => boolean
  /** Called for each chunk that is done, in the order in which they end. */
  onChunk: (chunk: Chunk, summary: Summary) => void
}

const seedsPerChunk = 10

/** The range without the seeds that are done already. */
export function chunksOf(from: number, to: number, done: readonly Chunk[] = []): Chunk[] {
  const finished = new Set(done.map((chunk) => `${chunk.from}..${chunk.to}`))
  const chunks: Chunk[] = []
  for (let first = from; first <= to; first += seedsPerChunk) {
    const chunk = { from: first, to: Math.min(to, first + seedsPerChunk - 1) }
    if (!finished.has(`${chunk.from}..${chunk.to}`)) chunks.push(chunk)
  }
  return chunks
}

export async function runSweep(plan: SweepPlan): Promise<Summary> {
  const total = emptySummary()
  const waiting = [...plan.chunks]
  const enough = (): boolean =>
    plan.stopped() || total.violated >= plan.stopAfter || (plan.deadlineMs !== null && Date.now() >= plan.deadlineMs)
  const take = (): Chunk | undefined => (enough() ? undefined : waiting.shift())
  const finish = (chunk: Chunk, summary: Summary): void => {
    addSummary(total, summary)
    plan.onChunk(chunk, summary)
  }
  const workers = Array.from({ length: Math.min(plan.jobs, waiting.length) }, () =>
    runWorker(plan, take, finish, total),
  )
  await Promise.all(workers)
  return total
}

/** Feeds one process until there is nothing left. A process that dies takes its chunk's first seed with it as a failure. */
function runWorker(
  plan: SweepPlan,
  take: () => Chunk | undefined,
  finish: (chunk: Chunk, summary: Summary) => void,
  total: Summary,
): Promise<void> {
  return new Promise((resolve) => {
    const child: ChildProcess = fork(fileURLToPath(new URL('worker.js', import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    let current: Chunk | undefined
    let ending = false
    const watch = setInterval(() => {
      if (plan.stopped()) end()
    }, 100)
    const end = (): void => {
      ending = true
      clearInterval(watch)
      child.kill('SIGKILL')
    }
    const next = (): void => {
      current = take()
      if (current === undefined) end()
      else child.send({ options: plan.options, chunk: current })
    }
    child.on('message', (message: { chunk: Chunk; summary: Summary }) => {
      finish(message.chunk, message.summary)
      next()
    })
    child.on('exit', (code, signal) => {
      clearInterval(watch)
      if (!ending && current !== undefined) {
        const explanation = `the process that ran seeds ${current.from} to ${current.to} ended with ${signal ?? code}`
        addFailure(total, { seed: current.from, invariant: 'simulator-crashed', explanation })
      }
      resolve()
    })
    next()
  })
}
