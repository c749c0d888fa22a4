// A leader whose proposals are well signed, and should not be voted for.

import { emptyPayload, payloadEnvelopesCodec } from '../../kernel/block.ts'
import { encode } from '../../wire/codec.ts'
import type { PbftMessage } from '../../protocols/pbft/messages.ts'
import type { Behaviour } from './behaviour.ts'
import type { CreatePen } from './drafts.ts'
import { Pen } from './pen.ts'
import { drawShare, fewOthers } from './victims.ts'

export function badPayloads<Message extends object>(createPen: CreatePen<Message>): Behaviour<Message> {
  return {
    name: 'bad-payloads',
    title: 'proposes payloads that do not fit their digest, or that hold no valid envelope',
    create: (options) => {
      const pen = createPen(options)
      const { random } = options
      const lies = drawShare(random)
      const few = random.chance(1, 2) ? fewOthers(options) : new Set(options.others)
      const garbage = Uint8Array.from({ length: 40 }, () => random.below(256))
      const noEnvelopes = encode(payloadEnvelopesCodec, [garbage])
      const way = random.below(3)
      return {
        send: (message, to, post) => {
          const draft = pen.draftOf(message)
          if (draft === null || !lies()) return post(to, message)
          if (way === 0) return post(to, few.has(to) ? { ...message, payload: noEnvelopes } : message)
          const payload = way === 1 ? garbage : noEnvelopes
          const header = { ...draft.header, payloadDigest: pen.payloadDigest(payload) }
          post(to, pen.redrafted(message, { header, payload }))
        },
      }
    },
  }
}

const hourMs = 3_600_000

export function absurdTimestamps<Message>(createPen: CreatePen<Message>): Behaviour<Message> {
  return {
    name: 'absurd-timestamps',
    title: 'proposes blocks of another hour, or of another age',
    create: (options) => {
      const pen = createPen(options)
      const { random } = options
      const lies = drawShare(random)
      const shift = random.pick([hourMs, -hourMs, 2 ** 50, -Infinity])
      return {
        send: (message, to, post) => {
          const draft = pen.draftOf(message)
          if (draft === null || !lies()) return post(to, message)
          const { header, payload } = draft
          const timestamp = Math.max(0, header.timestamp + shift)
          post(to, pen.redrafted(message, { header: { ...header, timestamp }, payload }))
        },
      }
    },
  }
}

const lookBack = 30

/** Whoever took a height over from others may not know that it voted there. */
export const proposingAnew: Behaviour<PbftMessage> = {
  name: 'proposing-anew',
  title: 'proposes other blocks at heights that are decided, and votes for them',
  create: (options) => {
    const pen = new Pen(options)
    const { epoch, others, random } = options
    let view = 0
    let height = 0
    let timestamp = 0
    return {
      send: (message, to, post) => {
        if (message.kind === 'pre-prepare') timestamp = message.header.timestamp
        if (message.kind === 'status') {
          view = message.view
          height = message.decidedHeight
        }
        post(to, message)
      },
      tickMs: random.pick([20, 100]),
      tick: (post) => {
        const at = Math.max(1, height - random.below(lookBack) + 2)
        const payloadDigest = pen.payloadDigest(emptyPayload)
        const header = { epoch: epoch.number, height: at, timestamp: timestamp + random.below(3), payloadDigest }
        const proposal = pen.prePrepare(view, header, emptyPayload)
        for (const to of others) {
          post(to, proposal)
          post(to, pen.vote('commit', view, at, pen.digestOf(header)))
        }
      },
    }
  },
}
