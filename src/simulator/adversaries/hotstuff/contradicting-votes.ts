// Votes that contradict each other: for a node that there is and one that there is not, or for every node that anybody proposes.

import type { HotstuffMessage, Statement } from '../../../protocols/hotstuff/messages.ts'
import type { Behaviour } from '../behaviour.ts'
import { drawShare, half, inventedDigest } from '../victims.ts'
import { ChainPen } from './chain-pen.ts'

const agreedMax = 2000

export const equivocatingVotes: Behaviour<HotstuffMessage> = {
  name: 'equivocating-votes',
  title: 'votes for two nodes in one view',
  create: (options) => {
    const pen = new ChainPen(options)
    const others = half(options)
    const lies = drawShare(options.random)
    return {
      send: (message, to, post) => {
        if (message.kind !== 'vote' || !others.has(to) || !lies()) return post(to, message)
        // Both to one: who looks has a proof.
        if (options.random.chance(1, 4)) post(to, message)
        post(to, pen.vote({ view: message.view, node: inventedDigest(options) }))
      },
    }
  },
}

/** Whatever anybody says, it agrees, in any view: to all, since it does not ask who leads. */
export const votingForAllNodes: Behaviour<HotstuffMessage> = {
  name: 'voting-for-all',
  title: 'votes for whatever anybody proposes or votes for, at once, in old views too',
  create: (options) => {
    const pen = new ChainPen(options)
    const agrees = drawShare(options.random)
    const agreed = new Set<string>()
    return {
      receive: (message, _from, post) => {
        const statement: Statement | null =
          message.kind === 'proposal'
            ? { view: message.view, node: pen.digestOf(message) }
            : message.kind === 'vote'
              ? message
              : null
        if (statement === null || !agrees()) return true
        const { view, node } = statement
        // Once for each: two of them that answered each other's votes would go on for ever.
        const name = `${view}.${node.subarray(0, 8).join()}`
        if (agreed.has(name)) return true
        if (agreed.size >= agreedMax) agreed.clear()
        agreed.add(name)
        for (const to of options.others) post(to, pen.vote({ view, node }))
        return true
      },
    }
  },
}
