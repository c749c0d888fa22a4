/**
 * What a thousand operations cost whole replicas in the quiet world: heartbeats, retransmissions, checkpoints and all. Where timings drift, these
 * figures stand still: a test holds them exactly.
 *
 * THE LOAD: 1,000 operations of 128 bytes, ten to an envelope, an envelope every ten milliseconds; links of one millisecond; a checkpoint every 32
 * heights, and else the parameters of a network file that names none. Then a second of rest.
 */

import type { Contender } from '../contenders.ts'
import { QuietWorld } from './quiet-world.ts'
import { difference, tallyOf, type Tally } from './tally.ts'

const oneWayUs = 1_000
const everyUs = 10_000
const restUs = 1_000_000
const intervalHeights = 32
const envelopes = 100
const operationsPerEnvelope = 10
const operationBytes = 128

export function guardedCosts(contender: Contender, replicas: number): Tally {
  const world = new QuietWorld({ contender, replicas, oneWayUs, parameters: { checkpoints: { intervalHeights } } })
  world.begin(restUs)
  const before = tallyOf(world.work)
  for (let count = 0; count < envelopes; count++) {
    world.submit(1, operationsPerEnvelope, operationBytes)
    world.elapse(everyUs)
  }
  world.until('the load', () => world.executed === envelopes * operationsPerEnvelope)
  world.elapse(restUs)
  return difference(tallyOf(world.work), before)
}
