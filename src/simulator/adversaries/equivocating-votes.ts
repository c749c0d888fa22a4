// Votes that contradict each other: for a block that there is and one that there is not, or for every block that anybody proposes.

import type { PbftMessage } from '../../protocols/pbft/messages.ts'
import type { Attack, AdversaryOptions, Behaviour } from './behaviour.ts'
import { Pen } from './pen.ts'
import { drawShare, half } from './victims.ts'

const agreedMax = 2000

function voteTwice(kind: 'prepare' | 'commit'): (options: AdversaryOptions) => Attack<PbftMessage> {
  return (options) => {
    const pen = new Pen(options)
    const others = half(options)
    const lies = drawShare(options.random)
    return {
      send: (message, to, post) => {
        if (message.kind !== kind || !others.has(to) || !lies()) return post(to, message)
        // Both to one: who looks has a proof.
        if (options.random.chance(1, 4)) post(to, message)
        post(to, pen.vote(kind, message.view, message.height, pen.inventedDigest()))
      },
    }
  }
}

export const equivocatingPrepares: Behaviour<PbftMessage> = {
  name: 'equivocating-prepares',
  title: 'prepares two blocks at one height',
  create: voteTwice('prepare'),
}

export const equivocatingCommits: Behaviour<PbftMessage> = {
  name: 'equivocating-commits',
  title: 'commits two blocks at one height',
  create: voteTwice('commit'),
}

/** Whatever anybody says, it agrees: prepares and commits at once, without a certificate, in any view. */
export const votingForAll: Behaviour<PbftMessage> = {
  name: 'voting-for-all',
  title: 'prepares and commits whatever anybody proposes or votes for, at once',
  create: (options) => {
    const pen = new Pen(options)
    const agrees = drawShare(options.random)
    const agreed = new Set<string>()
    return {
      receive: (message, _from, post) => {
        const statement =
          message.kind === 'pre-prepare'
            ? { view: message.view, height: message.header.height, digest: pen.digestOf(message.header) }
            : message.kind === 'prepare' || message.kind === 'commit'
              ? message
              : null
        if (statement === null || !agrees()) return true
        const { view, height, digest } = statement
        // Once for each: two of them that answered each other's votes would go on for ever.
        const name = `${view}.${height}.${digest.subarray(0, 8).join()}`
        if (agreed.has(name)) return true
        if (agreed.size >= agreedMax) agreed.clear()
        agreed.add(name)
        for (const to of options.others) {
          post(to, pen.vote('prepare', view, height, digest))
          post(to, pen.vote('commit', view, height, digest))
        }
        return true
      },
    }
  },
}
