// What leaders that take turns may cost a healed core: some of them are lost or lie, and their turns pass by timeouts.

import type { ReplicaId } from '../kernel/ids.ts'
import { membershipOf, type Epoch } from '../kernel/membership.ts'
import { leaderInTurn } from '../protocols/hotstuff/leaders.ts'
import { runLength } from '../protocols/hotstuff/rules.ts'

/** The bound on recovery, in capped timeouts (docs/testing.md). */
export const livenessTimeouts = 8
/** The least that an operation takes of a block's bytes limit, generously. */
const operationBytesMax = 256
/** Until the views of all have met, and once more for what was proposed and lost. */
const rotationsToMeet = 2

/** How long a healed core may take for so many operations. */
export function livenessBoundMs(epoch: Epoch, operations: number): number {
  const { timers, batch } = epoch.parameters
  const boundMs = livenessTimeouts * timers.timeoutMsMax
  if (epoch.protocol !== 'hotstuff') return boundMs
  const inBlock = Math.max(1, Math.min(batch.operationsMax, Math.floor(batch.bytesMax / operationBytesMax)))
  const rotations = Math.ceil(Math.ceil(operations / inBlock) / blocksInRotation(epoch))
  return boundMs + (rotationsToMeet + rotations) * rotationMs(epoch)
}

/** Views that one leader has in a row. */
function viewsInTurn({ parameters }: Epoch): number {
  const { leaders, tenureViews } = parameters.hotstuff
  return leaders === 'tenure' ? tenureViews : 1
}

/** Of a run of good views the last one's votes are lost, and a liar may orphan another. */
function blocksInRotation(epoch: Epoch): number {
  const { voters, faultsTolerated } = membershipOf(epoch)
  return Math.max(1, (voters.length - faultsTolerated) * viewsInTurn(epoch) - 2 * faultsTolerated)
}

/**
 * All voters have had their turn, and as many as may have failed: one after the other, or each by itself. The votes of the view before go to
 * who has failed. Whoever leads one view between two of them therefore brings nothing either, and timeouts double over all of them.
 */
function rotationMs(epoch: Epoch): number {
  const { faultsTolerated } = membershipOf(epoch)
  const turn = viewsInTurn(epoch)
  const together = timeoutsMs(epoch, turn === 1 ? 2 * faultsTolerated : faultsTolerated * turn + 1)
  return Math.max(together, faultsTolerated * timeoutsMs(epoch, turn + 1))
}

/** Of so many views in a row that bring nothing. */
function timeoutsMs({ parameters }: Epoch, views: number): number {
  const { timeoutMsBase, timeoutMsMax } = parameters.timers
  let sum = 0
  for (let view = 0; view < views; view++) sum += Math.min(timeoutMsMax, timeoutMsBase * 2 ** Math.min(view, 30))
  return sum
}

/**
 * Do so many leaders in a row stand, that a block is committed: as many certified nodes as the rule asks for, and one more to collect the
 * votes for the last? Under three-chain there are sets of f replicas without which they never do.
 */
export function hasRunOfLeaders(epoch: Epoch, standing: readonly ReplicaId[]): boolean {
  if (epoch.protocol !== 'hotstuff') return true
  const { parameters } = epoch
  const membership = membershipOf(epoch)
  const needed = runLength(parameters) + 1
  const views = membership.voters.length * viewsInTurn(epoch)
  let run = 0
  // Twice round: a run may go over the end.
  for (let view = 0; view < 2 * views; view++) {
    run = standing.includes(leaderInTurn({ membership, parameters }, view)) ? run + 1 : 0
    if (run >= needed) return true
  }
  return false
}
