// Just inside the timeout: nobody can say that it does nothing, and nothing goes on at the speed it could.

import type { HotstuffMessage } from '../../protocols/hotstuff/messages.ts'
import type { PbftMessage } from '../../protocols/pbft/messages.ts'
import type { Behaviour } from './behaviour.ts'

interface Delay<Kind> {
  readonly name: string
  readonly title: string
  /** Of what it delays. */
  readonly kinds: readonly Kind[]
  /** Of the first timeout, one of these. */
  readonly perMille: readonly number[]
}

function delaying<Message extends { kind: string }>({
  name,
  title,
  kinds,
  perMille,
}: Delay<Message['kind']>): Behaviour<Message> {
  return {
    name,
    title,
    create: ({ random, epoch }) => {
      const delayMs = (epoch.parameters.timers.timeoutMsBase * random.pick(perMille)) / 1000
      return {
        send: (message, to, post) => post(to, message, kinds.includes(message.kind) ? delayMs : 0),
      }
    },
  }
}

const insideTheTimeout = [500, 800, 950]
const aroundTheTimeout = [500, 950, 3000]

export const slowPrimary: Behaviour<PbftMessage> = delaying({
  name: 'slow-primary',
  title: 'delays each of its proposals to just inside the timeout',
  kinds: ['pre-prepare'],
  perMille: insideTheTimeout,
})

export const slowNewViews: Behaviour<PbftMessage> = delaying({
  name: 'slow-new-views',
  title: 'delays all that a view change needs of it',
  kinds: ['view-change', 'new-view'],
  perMille: aroundTheTimeout,
})

export const slowLeader: Behaviour<HotstuffMessage> = delaying({
  name: 'slow-leader',
  title: 'delays each of its proposals to just inside the timeout',
  kinds: ['proposal'],
  perMille: insideTheTimeout,
})

export const slowTimeouts: Behaviour<HotstuffMessage> = delaying({
  name: 'slow-timeouts',
  title: 'delays what a view that is given up needs of it',
  kinds: ['timeout', 'newest'],
  perMille: aroundTheTimeout,
})
