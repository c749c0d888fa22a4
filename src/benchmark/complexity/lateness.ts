/**
 * Real processes are not all equally fast, and where one is late a block costs a little more or less than in the quiet world, by rules that are known:
 *
 * - pbft: whoever has a quorum of commits from others before its own checks all of them, and not one fewer.
 * - hotstuff: nobody votes in a view that has gone by, so that votes and their signatures are missing, never so many that no quorum is left; the next
 *   leader may have a quorum without its own vote, and checks one more; a block that somebody asks for goes out once more; where no request
 *   waits while others are under way, a leader proposes nothing, in fewer bytes.
 *
 * Everything else that differs is a fault of somebody's.
 */

import { faultModelOf } from '../../kernel/ids.ts'
import { quorum } from '../../kernel/quorum.ts'
import type { Contender } from '../contenders.ts'
import { blockCost } from './closed-forms.ts'
import type { MeasuredBlock } from './simulated.ts'

export const counted = ['messages', 'bytes', 'signaturesMade', 'signaturesChecked'] as const
export type Counted = (typeof counted)[number]

export interface Compared {
  measured: MeasuredBlock
  simulated: MeasuredBlock
  /**
   * Of a longer chain less a shorter one, where what the shorter one had more of is missing: the share of blocks without requests. Null: of a block
   * on its own.
   */
  emptyShare: number | null
}

export function isEqual({ measured, simulated }: Pick<Compared, 'measured' | 'simulated'>): boolean {
  return counted.every((name) => measured[name] === simulated[name])
}

/** Why this count may differ as it does; null: there is no reason. */
export function reasonFor(contender: Contender, replicas: number, name: Counted, compared: Compared): string | null {
  const { measured, simulated, emptyShare } = compared
  // A block on its own has empty ones behind it.
  const blocks = simulated.messages / blockCost(contender, replicas).messages
  const more = (measured[name] - simulated[name]) / blocks
  const isWithin = (from: number, to: number): boolean =>
    emptyShare === null ? more >= from && more <= to : Math.abs(more) <= Math.max(-from, to)
  switch (contender.protocol) {
    case 'raft':
      return null
    case 'pbft':
      return name === 'signaturesChecked' && isWithin(0, replicas) ? commitsOfOthers : null
    case 'hotstuff': {
      const asked = (measured.apart['ask'] ?? 0) / blocks
      const votesMissing = replicas - quorum(faultModelOf('hotstuff'), replicas)
      switch (name) {
        case 'messages':
          return isWithin(-votesMissing, 0) ? lateVotes : isWithin(0, asked) ? askedFor : null
        case 'signaturesMade':
          return isWithin(-votesMissing, 0) ? lateVotes : null
        case 'signaturesChecked':
          return isWithin(0, 1) ? votesOfOthers : null
        case 'bytes':
          if (asked > 0) return askedFor
          if (measured.messages !== simulated.messages) return lateVotes
          return emptyShare === null || emptyShare === 0 ? null : emptyBlocks
      }
    }
  }
}

const commitsOfOthers = 'whoever has a quorum of commits from others before its own checks one more'
const votesOfOthers = 'a leader that has a quorum of votes from others before its own checks one more'
const lateVotes = 'nobody votes in a view that has gone by'
const askedFor = 'a block that somebody asks for goes out once more'
const emptyBlocks = 'leaders that find no request propose empty blocks while others are under way'
