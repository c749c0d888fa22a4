// Keeps things back: everything from a few, or one kind of message from all.

import type { HotstuffMessage } from '../../protocols/hotstuff/messages.ts'
import type { PbftMessage } from '../../protocols/pbft/messages.ts'
import type { Behaviour } from './behaviour.ts'
import { drawShare, fewOthers } from './victims.ts'

function fromFew<Message extends { kind: string }>(proposal: Message['kind']): Behaviour<Message> {
  return {
    name: 'withholding-from-few',
    title: 'keeps its protocol messages, or its proposals, from as many as may be faulty',
    create: (options) => {
      const few = fewOthers(options)
      const onlyProposals = options.random.chance(1, 2)
      const keeps = drawShare(options.random)
      return {
        send: (message, to, post) => {
          const concerned = few.has(to) && (!onlyProposals || message.kind === proposal)
          if (!concerned || !keeps()) post(to, message)
        },
      }
    },
  }
}

function onePhase<Message extends { kind: string }>(kinds: readonly Message['kind'][]): Behaviour<Message> {
  return {
    name: 'withholding-one-phase',
    title: 'keeps one kind of message from all',
    create: ({ random }) => {
      const kept = random.pick(kinds)
      const keeps = drawShare(random)
      return {
        send: (message, to, post) => {
          if (message.kind !== kept || !keeps()) post(to, message)
        },
      }
    },
  }
}

export const withholdingFromFew: Behaviour<PbftMessage> = fromFew('pre-prepare')

export const withholdingOnePhase: Behaviour<PbftMessage> = onePhase([
  'pre-prepare',
  'prepare',
  'commit',
  'view-change',
  'new-view',
  'status',
])

export const withholdingNodesFromFew: Behaviour<HotstuffMessage> = fromFew('proposal')

export const withholdingOneKind: Behaviour<HotstuffMessage> = onePhase([
  'proposal',
  'vote',
  'timeout',
  'newest',
  'ask',
  'status',
])

/** Votes go to the next leader alone: it lacks this one as often as not all others vote. */
export const withholdingVotes: Behaviour<HotstuffMessage> = {
  name: 'withholding-votes',
  title: 'keeps its votes from some of the leaders that collect them',
  create: (options) => {
    const few = fewOthers(options)
    const keeps = drawShare(options.random)
    return {
      send: (message, to, post) => {
        if (message.kind !== 'vote' || !few.has(to) || !keeps()) post(to, message)
      },
    }
  },
}
