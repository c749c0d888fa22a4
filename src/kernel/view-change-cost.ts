// What a pbft window costs when its view changes: all certificates of a full window, each with a quorum of signatures, are checked by everybody
// before the next view begins. If that took longer than the view timeout, views would change for ever.

import type { Parameters } from './parameters.ts'
import { quorum } from './quorum.ts'

/** One signature, on a slow core (docs/architecture.md: 80 to 130 µs). */
const verifyMs = 0.13

export function judgingMs(voters: number, windowBlocks: number): number {
  return windowBlocks * quorum('byzantine', voters) * verifyMs
}

/** The least base of the view timeout under which judging takes no more than half of it. */
export function timeoutMsMin(voters: number, windowBlocks: number): number {
  return Math.ceil(2 * judgingMs(voters, windowBlocks))
}

/** Null, or in words why such a network would stand still. */
export function windowFault(voters: number, { pbft, checkpoints, flow, timers }: Parameters): string | null {
  const { windowBlocks } = pbft
  const least = checkpoints.intervalHeights + flow.pipelineBlocksMax
  if (windowBlocks < least) {
    return `parameters.pbft.windowBlocks is ${windowBlocks}, and must be at least ${least}: checkpoints.intervalHeights and flow.pipelineBlocksMax together`
  }
  const baseMs = timeoutMsMin(voters, windowBlocks)
  if (timers.timeoutMsBase >= baseMs) return null
  return `parameters.timers.timeoutMsBase is ${timers.timeoutMsBase}, and must be at least ${baseMs} with ${voters} voters and pbft.windowBlocks ${windowBlocks}: a view change is judged within half of it`
}
