// What a block must cost, in formulas: n voters, a steady leader (hotstuff: leaders in turn), full blocks, everybody up, nothing lost. Tests of the
// cores, measurements in the simulator and of real processes are all held to these.

import { faultModelOf } from '../../kernel/ids.ts'
import { quorum } from '../../kernel/quorum.ts'
import type { Contender } from '../contenders.ts'

export interface BlockCost {
  /** Between replicas: what orders a block, and nothing else. */
  messages: number
  /** Of the protocol: those of clients, and of checkpoints, are counted apart. */
  signaturesMade: number
  signaturesChecked: number
}

export interface Delays {
  /** One-way delays from a proposal to its commit, where it is known first, and where it is known last. */
  first: number
  last: number
}

export function blockCost({ protocol }: Pick<Contender, 'protocol'>, n: number): BlockCost {
  const q = quorum(faultModelOf(protocol), n)
  switch (protocol) {
    case 'raft':
      // An append to each follower and its answer; the commit index rides on the next append. The links vouch for who says it.
      return { messages: 2 * (n - 1), signaturesMade: 0, signaturesChecked: 0 }
    case 'pbft':
      return {
        // PRE-PREPARE, PREPARE and COMMIT.
        messages: n - 1 + (n - 1) ** 2 + n * (n - 1),
        signaturesMade: 1 + (n - 1) + n,
        // Each backup the pre-prepare and q - 2 prepares beside its own, the primary q - 1 prepares; everyone q - 1 commits beside its own.
        signaturesChecked: (n - 1) * (1 + (q - 2)) + (q - 1) + n * (q - 1),
      }
    case 'hotstuff':
      return {
        // The proposal to all, and the votes of all others to the next leader.
        messages: 2 * (n - 1),
        signaturesMade: 1 + n,
        // All but the leader check its proposal. The next one checks q - 1 votes beside its own, and the others the certificate that it makes of them.
        signaturesChecked: (n - 1) * (q + 1) + (q - 1),
      }
  }
}

/** Of one request at rest: nothing follows it that its commit could ride on. */
export function commitDelays({ protocol, rule }: Contender): Delays {
  switch (protocol) {
    case 'raft':
      return { first: 2, last: 3 }
    case 'pbft':
      return { first: 3, last: 3 }
    case 'hotstuff':
      return rule === 'two-chain' ? { first: 4, last: 5 } : { first: 6, last: 7 }
  }
}

/** Messages of the change alone: from the moment in which everybody gives the dead leader up, until somebody else may propose. */
export function viewChangeMessages({ protocol }: Pick<Contender, 'protocol'>, n: number): number {
  const q = quorum(faultModelOf(protocol), n)
  switch (protocol) {
    case 'raft':
      // One candidate asks everybody twice, would you and will you, and is answered by all that are up.
      return 2 * (n - 1 + (n - 2))
    case 'pbft':
      // VIEW-CHANGE of each to all, and NEW-VIEW: to all, and once more to each whose VIEW-CHANGE comes when a quorum has been counted.
      return (n - 1) ** 2 + (n - 1) + (n - 1 - q)
    case 'hotstuff':
      // TIMEOUT of each to all. The timeout certificate rides on the next proposal.
      return (n - 1) ** 2
  }
}
