// Says nothing: to all, to a half of the others, or for a while and then again.

import type { Behaviour } from './behaviour.ts'
import { half } from './victims.ts'

export const silent: Behaviour<never> = {
  name: 'silent',
  title: 'says nothing, to all or to some',
  create: (options) => {
    const { random } = options
    const unheard = random.chance(1, 2) ? new Set(options.others) : half(options)
    const answersClients = random.chance(1, 2)
    return {
      frame: (bytes, to) => (unheard.has(to) ? [] : [bytes]),
      reply: (bytes) => (answersClients ? bytes : null),
    }
  },
}
