// Bytes that decode to nothing, or to something else than was said.

import type { Behaviour } from './behaviour.ts'
import { drawShare } from './victims.ts'

export const malformedBytes: Behaviour<never> = {
  name: 'malformed-bytes',
  title: 'sends frames with wrong bytes, cut short, or out of the blue',
  create: ({ random }) => {
    const lies = drawShare(random)
    return {
      frame: (bytes) => {
        if (bytes.length === 0 || !lies()) return [bytes]
        const copy = Uint8Array.from(bytes)
        switch (random.below(4)) {
          case 0:
            copy[random.below(copy.length)]! ^= 1 << random.below(8)
            return [copy]
          case 1:
            return [copy.subarray(0, random.below(copy.length)), bytes]
          case 2:
            return [Uint8Array.from({ length: 1 + random.below(64) }, () => random.below(256)), bytes]
          default: {
            const filled = random.below(copy.length)
            copy.fill(255, filled, Math.min(copy.length, filled + 8))
            return [copy, bytes]
          }
        }
      },
    }
  },
}
