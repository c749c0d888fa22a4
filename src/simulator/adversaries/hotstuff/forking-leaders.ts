// Leaders that turn away from the chain as it is: what others have certified shall not count, and what they have committed shall be in doubt.

import type { HotstuffMessage, Proposal } from '../../../protocols/hotstuff/messages.ts'
import type { Behaviour } from '../behaviour.ts'
import { drawShare, half } from '../victims.ts'
import { onceForEachView, remembering } from './chain-memory.ts'

/** With a timeout certificate where there is one: the one that asks least. Its own vote goes to what it has proposed. */
export const forkingLeaders: Behaviour<HotstuffMessage> = {
  name: 'forking-leaders',
  title: 'extends an older certificate than the highest, with a reason for its view and without',
  create: (options) =>
    remembering(options, (memory) => {
      const { random } = options
      const { pen } = memory
      const lies = drawShare(random)
      const others = random.chance(1, 2) ? half(options) : new Set(options.others)
      const depth = random.pick([1, 3, 1000])
      const waits = random.chance(1, 2)
      const isDeaf = onceForEachView(() => waits && lies())
      /** Who is told the certificate that nobody else has, and commits by it what the fork leaves aside. */
      const told = random.chance(1, 2) ? random.pick(options.others) : null
      const forks = new Map<number, Proposal | null>()
      const fork = (proposal: Proposal): Proposal | null => {
        if (!lies()) return null
        const older = memory.placesBelow(proposal.justify.view)
        const onto = random.pick(older.slice(0, depth))
        const timeouts = memory.timeoutsOf(proposal.view - 1, 0) ?? proposal.timeouts
        return pen.grafted({ ...proposal, timeouts }, onto)
      }
      const forkOf = (proposal: Proposal): Proposal | null => {
        if (!forks.has(proposal.view)) forks.set(proposal.view, fork(proposal))
        return forks.get(proposal.view)!
      }
      return {
        send: (message, to, post) => {
          if (message.kind === 'vote') {
            const forked = forks.get(message.view) ?? null
            return post(to, forked === null ? message : pen.vote({ view: message.view, node: pen.digestOf(forked) }))
          }
          const forked = memory.isOwn(message) && others.has(to) ? forkOf(message) : null
          if (forked !== null && to === told) post(to, { kind: 'newest', certificate: memory.highest, timeouts: null })
          post(to, forked ?? message)
        },
        // Without votes no certificate: the view is given up, and there is a reason to extend another.
        receive: (message) => message.kind !== 'vote' || !isDeaf(message.view),
      }
    }),
}

/** The votes for the last block go to whoever leads next: it has not seen them, waits until the view is given up, and extends the parent. */
export const tailForkingLeaders: Behaviour<HotstuffMessage> = {
  name: 'tail-forking-leaders',
  title: 'extends the parent of the last block, which is orphaned by it',
  create: ({ random }) => {
    const lies = drawShare(random)
    const isDeaf = onceForEachView(() => lies())
    return {
      receive: (message) => message.kind !== 'vote' || !isDeaf(message.view),
    }
  },
}
