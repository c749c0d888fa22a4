// What goes wrong in the middle of a point, at a third of its time.

import { QuorateError } from '../kernel/quorate-error.ts'
import type { LoadClock } from './load/clock.ts'
import type { Point } from './round.ts'
import type { RunningSystem } from './system.ts'

type Failure = NonNullable<Point['failure']>

/** A slow replica runs for a tenth of the time: long enough to answer, too short to keep up. */
const stoppedMs = 90
const runningMs = 10

/** Answers with what ends it, where it can be ended. Whoever is killed or lies does so for good. */
export function armFailure(failure: Failure, seconds: number, running: RunningSystem, clock: LoadClock): () => void {
  let end = (): void => {}
  let isOver = false
  const cancel = clock.after((seconds * 1000) / 3, () => {
    void running.leader().then((leader) => {
      if (!isOver) end = failures[failure](running, leader ?? 0, clock)
    })
  })
  return () => {
    isOver = true
    cancel()
    end()
  }
}

/** Refuses what cannot be done before anything is measured. */
export function requirePossible(failure: Failure, running: RunningSystem): void {
  if (failure !== 'lying-replica' || running.lie !== undefined) return
  throw new QuorateError('ERR_BENCHMARK_ROUND', 'nobody can lie in this system: leave that failure out')
}

const failures: Record<Failure, (running: RunningSystem, leader: number, clock: LoadClock) => () => void> = {
  'leader-killed': ({ processes }, leader) => {
    process.kill(processes[leader]!.pid, 'SIGKILL')
    return () => {}
  },
  'slow-replica': ({ processes }, leader, clock) => {
    // One that does not lead: what a slow leader does is for the protocols' timeouts to end.
    const follower = processes[(leader + 1) % processes.length]!
    return slowDown(follower.pid, clock)
  },
  'lying-replica': (running) => {
    running.lie!()
    return () => {}
  },
}

function slowDown(pid: number, clock: LoadClock): () => void {
  let cancel = (): void => {}
  const alternate = (signal: 'SIGSTOP' | 'SIGCONT'): void => {
    process.kill(pid, signal)
    const isStopped = signal === 'SIGSTOP'
    cancel = clock.after(isStopped ? stoppedMs : runningMs, () => alternate(isStopped ? 'SIGCONT' : 'SIGSTOP'))
  }
  alternate('SIGSTOP')
  return () => {
    cancel()
    process.kill(pid, 'SIGCONT')
  }
}
