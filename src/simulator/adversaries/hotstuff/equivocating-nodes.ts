// A leader that proposes two nodes in one view, one to each half of the others, and votes for both.

import type { HotstuffMessage, Proposal } from '../../../protocols/hotstuff/messages.ts'
import type { Behaviour } from '../behaviour.ts'
import { otherDraft } from '../drafts.ts'
import { drawShare, half } from '../victims.ts'
import { remembering } from './chain-memory.ts'

export const equivocatingNodes: Behaviour<HotstuffMessage> = {
  name: 'equivocating-proposals',
  title: 'proposes two nodes in one view, and votes for both',
  create: (options) =>
    remembering(options, (memory) => {
      const { pen } = memory
      const { random } = options
      const others = half(options)
      const lies = drawShare(random)
      const changesPayload = random.chance(1, 2)
      const seconds = new Map<number, Proposal | null>()
      const secondOf = (proposal: Proposal): Proposal | null => {
        const known = seconds.get(proposal.view)
        if (known !== undefined) return known
        const made = lies() ? pen.proposal({ ...proposal, ...otherDraft(pen, proposal, changesPayload) }) : null
        seconds.set(proposal.view, made)
        return made
      }
      return {
        send: (message, to, post) => {
          if (message.kind === 'vote') {
            const second = seconds.get(message.view) ?? null
            const votes = [message]
            if (second !== null) votes.push(pen.vote({ view: message.view, node: pen.digestOf(second) }))
            // The first that comes is counted.
            if (random.chance(1, 2)) votes.reverse()
            for (const vote of votes) post(to, vote)
            return
          }
          const second = memory.isOwn(message) ? secondOf(message) : null
          if (second === null || !others.has(to)) return post(to, message)
          post(to, second)
          // Both to one: who looks has a proof.
          if (random.chance(1, 8)) post(to, message)
        },
      }
    }),
}

const keptMax = 64

/** Whoever has cut its tree may not know that it voted there. */
export const proposingAnewInOldViews: Behaviour<HotstuffMessage> = {
  name: 'proposing-anew',
  title: 'proposes other nodes in views that are over, and votes for them',
  create: (options) =>
    remembering(options, (memory) => {
      const { pen } = memory
      const { others, random } = options
      const own: Proposal[] = []
      return {
        send: (message, to, post) => {
          if (memory.isOwn(message) && own.at(-1) !== message) own.push(message)
          if (own.length > keptMax) own.shift()
          post(to, message)
        },
        tickMs: random.pick([20, 100]),
        tick: (post) => {
          if (own.length === 0) return
          const old = random.pick(own)
          const again = pen.proposal({ ...old, ...otherDraft(pen, old, random.chance(1, 2)) })
          const vote = pen.vote({ view: old.view, node: pen.digestOf(again) })
          for (const to of others) {
            post(to, again)
            post(to, vote)
          }
        },
      }
    }),
}
