// A system that has been started, once it would answer; one that never does is stopped.

import type { RunningSystem } from '../system.ts'

export async function whenReady(running: RunningSystem & { ready(): Promise<void> }): Promise<RunningSystem> {
  try {
    await running.ready()
    return running
  } catch (error) {
    await running.stop()
    throw error
  }
}
