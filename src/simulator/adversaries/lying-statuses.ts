// Claims to be far ahead, or far behind, or to serve what it has not: a status is signed by nobody.

import { slotStage, viewMax, type PbftMessage, type Status } from '../../protocols/pbft/messages.ts'
import type { Behaviour } from './behaviour.ts'
import { drawShare } from './victims.ts'

export const lyingStatuses: Behaviour<PbftMessage> = {
  name: 'lying-statuses',
  title: 'claims to have decided what nobody has, or to lack everything',
  create: ({ random, others }) => {
    const lies = drawShare(random)
    const falsify = (status: Status): Status => {
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
    }
    let last: Status | null = null
    return {
      send: (message, to, post) => {
        if (message.kind !== 'status') return post(to, message)
        last = message
        post(to, lies() ? falsify(message) : message)
      },
      tickMs: random.pick([20, 200]),
      tick: (post) => {
        if (last !== null) for (const to of others) post(to, falsify(last))
      },
    }
  },
}
