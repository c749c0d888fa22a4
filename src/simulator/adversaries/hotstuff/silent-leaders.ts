// Correct as long as they follow, and silent when they lead; neighbours, so that their turns come one after the other.

import type { HotstuffMessage } from '../../../protocols/hotstuff/messages.ts'
import type { Behaviour } from '../behaviour.ts'
import { remembering } from './chain-memory.ts'

export const silentLeaders: Behaviour<HotstuffMessage> = {
  name: 'silent-leaders',
  title: 'says nothing as a leader, neither do its neighbours that lie',
  isInARow: true,
  create: (options) =>
    remembering(options, (memory) => {
      const collectsVotes = options.random.chance(1, 2)
      return {
        receive: (message) => collectsVotes || message.kind !== 'vote',
        send: (message, to, post) => {
          if (!memory.isOwn(message)) post(to, message)
        },
      }
    }),
}
