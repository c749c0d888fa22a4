// Claims to be far ahead, or far behind, or to serve what it has not: a status is signed by nobody.

import * as chained from '../../protocols/hotstuff/messages.ts'
import { slotStage, viewMax, type PbftMessage } from '../../protocols/pbft/messages.ts'
import type { Random } from '../../kernel/random.ts'
import type { Behaviour } from './behaviour.ts'
import { drawShare } from './victims.ts'

type StatusOf<Message> = Extract<Message, { kind: 'status' }>

function lying<Message extends { kind: string }>(
  falsify: (status: StatusOf<Message>, random: Random) => Message,
): Behaviour<Message> {
  return {
    name: 'lying-statuses',
    title: 'claims to have decided what nobody has, or to lack everything',
    create: ({ random, others }) => {
      const lies = drawShare(random)
      let last: StatusOf<Message> | null = null
      return {
        send: (message, to, post) => {
          if (message.kind !== 'status') return post(to, message)
          last = message as StatusOf<Message>
          post(to, lies() ? falsify(last, random) : message)
        },
        tickMs: random.pick([20, 200]),
        tick: (post) => {
          if (last !== null) for (const to of others) post(to, falsify(last, random))
        },
      }
    },
  }
}

export const lyingStatuses: Behaviour<PbftMessage> = lying<PbftMessage>((status, random) => {
  switch (random.below(5)) {
    case 0:
      return { ...status, decidedHeight: 2 ** 50, servesFrom: 1 }
    case 1:
      return { ...status, decidedHeight: 0, servesFrom: 2 ** 50, stages: [], asks: true }
    case 2:
      return { ...status, view: viewMax, active: random.chance(1, 2) }
    case 3:
      return { ...status, stages: Array.from({ length: 64 }, () => slotStage.committed), asks: true }
    default:
      return { ...status, decidedHeight: status.decidedHeight + 1 + random.below(50), servesFrom: 1, active: true }
  }
})

export const lyingChainStatuses: Behaviour<chained.HotstuffMessage> = lying<chained.HotstuffMessage>(
  (status, random) => {
    switch (random.below(5)) {
      case 0:
        return { ...status, decidedHeight: 2 ** 50, servesFrom: 1 }
      case 1:
        return { ...status, decidedHeight: 0, servesFrom: 2 ** 50, certificateView: 0, view: 1, asks: true }
      case 2:
        return { ...status, view: chained.viewMax, certificateView: random.chance(1, 2) ? chained.viewMax : 0 }
      case 3:
        return { ...status, proposed: !status.proposed, certificateView: 0, asks: true }
      default:
        return { ...status, decidedHeight: status.decidedHeight + 1 + random.below(50), servesFrom: 1 }
    }
  },
)
