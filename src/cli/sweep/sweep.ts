// Runs chunks of seeds over several processes until they are done, or someone stopped it, or time is up, or enough has failed.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Chunk } from './chunks.ts'
import type { Work, WorkerMessage } from './messages.ts'
import type { SweepOptions } from './run-chunk.ts'
import type { SeedFailure, Summary } from './summary.ts'

export interface SweepPlan {
  options: SweepOptions
  chunks: readonly Chunk[]
  jobs: number
  deadlineMs: number | null
  /** Asked often. Once true, all processes are ended at once, and what they were at is lost. */
  stopped: () => boolean
  /** Asked before a chunk is handed out. Once true, the chunks under way are finished. */
  enough: () => boolean
  /** A chunk is done; they end in any order. */
  onChunk: (chunk: Chunk, summary: Summary) => void
  /** A process died of a seed, whose chunk then has no summary. No other takes its place: what killed one may kill all. */
  onCrash: (failure: SeedFailure) => void
}

const workerPath = fileURLToPath(new URL('worker.js', import.meta.url))
const watchMs = 100

/** Rejects with what `onChunk` threw, after all processes have ended. */
export async function runSweep(plan: SweepPlan): Promise<void> {
  const waiting = [...plan.chunks]
  const broken: unknown[] = []
  const ports: WorkerPorts = {
    options: plan.options,
    take: () => {
      const late = plan.deadlineMs !== null && Date.now() >= plan.deadlineMs
      return late || plan.stopped() || plan.enough() || broken.length > 0 ? undefined : waiting.shift()
    },
    finish: (chunk, summary) => {
      try {
        plan.onChunk(chunk, summary)
      } catch (error) {
        broken.push(error)
      }
    },
    stopped: () => plan.stopped() || broken.length > 0,
    onCrash: plan.onCrash,
  }
  const jobs = Math.min(plan.jobs, waiting.length)
  await Promise.all(Array.from({ length: jobs }, () => runWorker(ports)))
  if (broken.length > 0) throw broken[0]
}

/**
 * A run makes much and keeps little. Collected by its own thread alone it takes a quarter less CPU: helpers only hinder where each core
 * has a worker already.
 */
const memoryFlags = ['--max-semi-space-size=64', '--single-threaded-gc']

interface WorkerPorts {
  options: SweepOptions
  take: () => Chunk | undefined
  finish: (chunk: Chunk, summary: Summary) => void
  stopped: () => boolean
  onCrash: (failure: SeedFailure) => void
}

/** Feeds one process until there is nothing left for it, or it is dead. */
function runWorker({ options, take, finish, stopped, onCrash }: WorkerPorts): Promise<void> {
  return new Promise((resolve) => {
    const child = fork(workerPath, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [...process.execArgv, ...memoryFlags],
    })
    let current = take()
    let seed = current?.from ?? 0
    let over = false
    const watch = setInterval(() => {
      if (stopped()) end()
    }, watchMs)
    const end = (): void => {
      over = true
      child.kill('SIGKILL')
    }
    const next = (): void => {
      if (current === undefined) return end()
      seed = current.from
      // An error of sending means that the process is dying, and its end says more.
      child.send({ options, chunk: current } satisfies Work, () => {})
    }
    const leave = (how: string): void => {
      clearInterval(watch)
      if (!over && current !== undefined) onCrash(crashOf(current, seed, how))
      over = true
      resolve()
    }
    child.on('message', (message: WorkerMessage) => {
      if (over) return
      if (message.kind === 'seed') seed = message.seed
      else {
        finish(current!, message.summary)
        current = take()
        next()
      }
    })
    child.on('error', (error) => {
      // A process that never started has no end to wait for.
      if (child.pid === undefined) leave(error.message)
    })
    child.on('exit', (code, signal) => leave(signal ?? `exit code ${code}`))
    next()
  })
}

function crashOf({ from, to }: Chunk, seed: number, how: string): SeedFailure {
  const explanation = `the process that ran seeds ${from} to ${to} ended with ${how} while it ran seed ${seed}`
  return { seed, invariant: 'simulator-crashed', explanation }
}
