// Crashes and starts again as it likes, more often than any disk or machine would.

import type { Behaviour } from './behaviour.ts'

export const crashing: Behaviour<never> = {
  name: 'crashing',
  title: 'crashes and starts again at will',
  create: ({ random }) => ({ restartsMs: random.pick([50, 300, 1500]) }),
}

/** What a disk that loses records unnoticed makes of a replica: it breaks each promise, and does not know it. */
export const forgetful: Behaviour<never> = {
  name: 'forgetful',
  title: 'starts again and again without what it had promised',
  create: ({ random }) => ({ restartsMs: random.pick([150, 600, 2000]), forgets: true }),
}
