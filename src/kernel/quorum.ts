// Quorum arithmetic, here and nowhere else (architecture.md §2 rule 6).

import type { FaultModel } from './ids.ts'

/** How many faulty voters n voters survive. */
export function faultsTolerated(model: FaultModel, voters: number): number {
  requireVoters(voters)
  return model === 'crash' ? Math.floor((voters - 1) / 2) : Math.floor((voters - 1) / 3)
}

/**
 * How many voters decide. Any two quorums meet in a voter (crash), or in a voter that is not faulty (byzantine),
 * and the voters that are not faulty make a quorum by themselves. Written as 2f+1 it would be unsafe at n=5 and n=6.
 */
export function quorum(model: FaultModel, voters: number): number {
  requireVoters(voters)
  if (model === 'crash') return Math.floor(voters / 2) + 1
  return Math.ceil((voters + faultsTolerated(model, voters) + 1) / 2)
}

/** The size of a set that cannot be all faulty: faulty voters lie in byzantine mode, and only fall silent in crash mode. */
export function oneCorrect(model: FaultModel, voters: number): number {
  requireVoters(voters)
  return model === 'crash' ? 1 : faultsTolerated(model, voters) + 1
}

/** The fewest voters that survive one fault. */
export function votersMin(model: FaultModel): number {
  return model === 'crash' ? 3 : 4
}

function requireVoters(voters: number): void {
  if (!Number.isSafeInteger(voters) || voters < 1) throw new RangeError(`${voters} is no number of voters`)
}
