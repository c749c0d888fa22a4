// Just inside the timeout: nobody can say that it does nothing, and nothing goes on at the speed it could.

import type { PbftMessage } from '../../protocols/pbft/messages.ts'
import type { Behaviour } from './behaviour.ts'

export const slowPrimary: Behaviour<PbftMessage> = {
  name: 'slow-primary',
  title: 'delays each of its proposals to just inside the timeout',
  create: ({ random, epoch }) => {
    const delayMs = (epoch.parameters.timers.timeoutMsBase * random.pick([500, 800, 950])) / 1000
    return {
      send: (message, to, post) => post(to, message, message.kind === 'pre-prepare' ? delayMs : 0),
    }
  },
}

export const slowNewViews: Behaviour<PbftMessage> = {
  name: 'slow-new-views',
  title: 'delays all that a view change needs of it',
  create: ({ random, epoch }) => {
    const delayMs = (epoch.parameters.timers.timeoutMsBase * random.pick([500, 950, 3000])) / 1000
    return {
      send: (message, to, post) => {
        const isLate = message.kind === 'view-change' || message.kind === 'new-view'
        post(to, message, isLate ? delayMs : 0)
      },
    }
  },
}
