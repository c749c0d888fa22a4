// Says again what was said before: its own words and the relayed words of others, of any view, to anybody. Any protocol's.

import type { Behaviour } from './behaviour.ts'

const keptMax = 300
const replayedMax = 5

export const replaying: Behaviour<never> = {
  name: 'replaying',
  title: 'sends old messages again, its own and those of others',
  create: ({ random, others }) => {
    const kept: never[] = []
    const keep = (message: never): void => {
      if (kept.length < keptMax) kept.push(message)
      else if (random.chance(1, 4)) kept[random.below(keptMax)] = message
    }
    return {
      send: (message, to, post) => {
        keep(message)
        post(to, message)
      },
      receive: (message) => {
        keep(message)
        return true
      },
      tickMs: random.pick([20, 100, 500]),
      tick: (post) => {
        for (let left = replayedMax; left > 0 && kept.length > 0; left--) post(random.pick(others), random.pick(kept))
      },
    }
  },
}
