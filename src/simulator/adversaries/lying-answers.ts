// Lies to whoever asks: replicas that lag, and clients.

import type { Behaviour } from './behaviour.ts'
import { drawShare } from './victims.ts'

export const lyingFetches: Behaviour<never> = {
  name: 'lying-fetches',
  title: 'hands out payloads, blocks and states that are none',
  create: ({ random }) => {
    const lies = drawShare(random)
    const way = random.below(4)
    return {
      payload: (payload) => {
        if (payload === null || payload.length === 0 || !lies()) return payload
        return way === 0 ? null : flipped(payload, random.below(payload.length))
      },
      decided: (blocks) => {
        if (!lies()) return blocks
        switch (way) {
          case 0:
            return []
          case 1:
            return blocks.slice(1)
          case 2:
            return blocks.map(({ block, proof }) => ({
              block: { ...block, header: { ...block.header, timestamp: block.header.timestamp + 1 } },
              proof,
            }))
          default:
            return blocks.map(({ block, proof }) => ({
              block: block.payload.length === 0 ? block : { ...block, payload: flipped(block.payload, 0) },
              proof,
            }))
        }
      },
      hostItem: (item) => {
        // State transfer: an answer with a byte that is wrong.
        if (item.channel < 4 || item.body.length < 12 || !lies()) return [item]
        return [{ ...item, body: flipped(item.body, 9 + random.below(item.body.length - 9)) }]
      },
    }
  },
}

/** The first bytes say which request is answered: with those wrong, the client would not even look. */
const replyHeadBytes = 8

export const falseReplies: Behaviour<never> = {
  name: 'false-replies',
  title: 'tells clients other results than came out',
  create: ({ random }) => {
    const lies = drawShare(random)
    return {
      reply: (bytes) => {
        if (!lies() || bytes.length <= replyHeadBytes) return bytes
        return flipped(bytes, replyHeadBytes + random.below(bytes.length - replyHeadBytes))
      },
    }
  },
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = copy[at]! ^ 1
  return copy
}
