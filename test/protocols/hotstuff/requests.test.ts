// Goal: what has waited for half a timeout is handed on to all others, and never all of it once more.

import { expect, it } from 'vitest'
import { forwardedAgainBytesMax } from '../../../src/kernel/limits.ts'
import { Bench, timeoutMs } from './bench.ts'

it('a follower hands on again what has waited for half a timeout, to each other voter, as many bytes as are allowed', () => {
  const bench = new Bench().start()
  const replica = bench.replica(2)
  replica.propose('old')
  bench.elapse(timeoutMs / 2 + 1, () => false)
  const { boundsOfForwards, boundsOfForwardsAgain } = replica.pool
  expect(boundsOfForwardsAgain).toEqual([forwardedAgainBytesMax])
  expect(boundsOfForwards).toEqual(Array.from({ length: 3 }, () => forwardedAgainBytesMax))
})
