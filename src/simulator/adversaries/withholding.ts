// Keeps things back: everything from a few, or one kind of message from all.

import type { PbftMessage } from '../../protocols/pbft/messages.ts'
import type { Behaviour } from './behaviour.ts'
import { drawShare, fewOthers } from './victims.ts'

export const withholdingFromFew: Behaviour<PbftMessage> = {
  name: 'withholding-from-few',
  title: 'keeps its protocol messages, or its proposals, from as many as may be faulty',
  create: (options) => {
    const few = fewOthers(options)
    const onlyProposals = options.random.chance(1, 2)
    const keeps = drawShare(options.random)
    return {
      send: (message, to, post) => {
        const concerned = few.has(to) && (!onlyProposals || message.kind === 'pre-prepare')
        if (!concerned || !keeps()) post(to, message)
      },
    }
  },
}

const kinds: readonly PbftMessage['kind'][] = ['pre-prepare', 'prepare', 'commit', 'view-change', 'new-view', 'status']

export const withholdingOnePhase: Behaviour<PbftMessage> = {
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
