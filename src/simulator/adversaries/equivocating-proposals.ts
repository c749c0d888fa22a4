// A primary that proposes two blocks at one height, one to each half of the others, and stands by both.

import type { BlockHeader } from '../../kernel/block.ts'
import type { PbftMessage } from '../../protocols/pbft/messages.ts'
import type { Behaviour } from './behaviour.ts'
import { otherDraft, type Draft } from './drafts.ts'
import { Pen } from './pen.ts'
import { drawShare, half } from './victims.ts'

const keptMax = 512

export const equivocatingProposals: Behaviour<PbftMessage> = {
  name: 'equivocating-proposals',
  title: 'proposes two blocks at one height, and votes for both',
  create: (options) => {
    const pen = new Pen(options)
    const { random } = options
    const others = half(options)
    const lies = drawShare(random)
    const changesPayload = random.chance(1, 2)
    const second = new Map<string, Draft | null>()
    const make = (header: BlockHeader, payload: Uint8Array): Draft | null =>
      lies() ? otherDraft(pen, { header, payload }, changesPayload) : null
    const secondOf = (view: number, header: BlockHeader, payload: Uint8Array): Draft | null => {
      const key = `${view}.${header.height}`
      const known = second.get(key)
      if (known !== undefined) return known
      const made = make(header, payload)
      second.set(key, made)
      if (second.size > keptMax) second.delete(second.keys().next().value!)
      return made
    }
    return {
      send: (message, to, post) => {
        if (!others.has(to)) return post(to, message)
        if (message.kind === 'pre-prepare') {
          const made = secondOf(message.view, message.header, message.payload)
          if (made === null) return post(to, message)
          post(to, pen.prePrepare(message.view, made.header, made.payload))
          // Both to one: who looks has a proof.
          if (random.chance(1, 8)) post(to, message)
          return
        }
        if (message.kind === 'commit' || message.kind === 'prepare') {
          const made = second.get(`${message.view}.${message.height}`) ?? null
          if (made === null) return post(to, message)
          return post(to, pen.vote(message.kind, message.view, message.height, pen.digestOf(made.header)))
        }
        post(to, message)
      },
      // The second half may be ahead of what its own protocol has prepared: it commits for them as soon as they prepare.
      receive: (message, from, post) => {
        if (message.kind !== 'prepare' || !others.has(from)) return true
        const made = second.get(`${message.view}.${message.height}`) ?? null
        if (made !== null) {
          const commit = pen.vote('commit', message.view, message.height, pen.digestOf(made.header))
          for (const to of others) post(to, commit)
        }
        return true
      },
    }
  },
}
