// `npm run bench:primary-death [-- SEEDS]`: how long a pbft network of four decides nothing after its primary has died, in view timeouts, in
// virtual time. Each seed has its own delays, load and moment of death; clients send to all, as they do when the primary is silent.

import { createRandom, type Random } from '../src/kernel/random.ts'
import { Bench, timeoutMs, type Sent } from '../test/protocols/pbft/bench.ts'

const stepMs = 2
const loadPauseMsMax = 100

/** Delivers each message when its own delay is over. */
class DelayedBench extends Bench {
  readonly #random: Random
  readonly #delayMsMax: number
  readonly #dueMs = new Map<Sent, number>()

  constructor(random: Random) {
    super({ parameters: { batch: { lingerMs: 0 }, pbft: { windowBlocks: 1024 } } })
    this.#random = random
    this.#delayMsMax = random.pick([2, 20, 80])
  }

  pass(): void {
    for (const sent of this.network) {
      if (!this.#dueMs.has(sent)) this.#dueMs.set(sent, this.nowMs + this.#random.below(this.#delayMsMax + 1))
    }
    this.elapse(stepMs, (sent) => {
      const isDue = (this.#dueMs.get(sent) ?? Infinity) <= this.nowMs
      if (isDue) this.#dueMs.delete(sent)
      return isDue
    })
  }
}

function outage(seed: number): number {
  const random = createRandom(`primary death ${seed}`)
  const bench = new DelayedBench(random)
  for (const replica of bench.replicas) replica.start()
  let request = 0
  let nextMs = bench.nowMs
  const pass = (): void => {
    if (bench.nowMs >= nextMs) {
      request++
      for (const replica of bench.replicas) if (replica.isUp) replica.propose(`r${request}`)
      nextMs = bench.nowMs + random.below(loadPauseMsMax)
    }
    bench.pass()
  }
  const diesMs = bench.nowMs + 200 + random.below(2 * timeoutMs)
  while (bench.nowMs < diesMs) pass()
  bench.replica(1).crash()
  const deadMs = bench.nowMs
  const alive = bench.replicas.filter(({ isUp }) => isUp)
  // What had been prepared under the dead one may still be decided: the first block of the new view counts.
  const isBack = (): boolean =>
    alive.some(({ decided }) => decided.some(({ proof }) => proof.kind === 'pbft' && proof.view > 0))
  while (!isBack()) pass()
  return (bench.nowMs - deadMs) / timeoutMs
}

const seeds = Number(process.argv[2] ?? 1000)
const times = Array.from({ length: seeds }, (_, seed) => outage(seed + 1)).sort((left, right) => left - right)
const at = (share: number): string => times[Math.min(seeds - 1, Math.floor(share * seeds))]!.toFixed(2)
process.stdout.write(
  `${seeds} seeds, 4 replicas: the first block of the new view comes after ${at(0.5)} view timeouts (median); ` +
    `least ${at(0)}, 10% ${at(0.1)}, 90% ${at(0.9)}, 99% ${at(0.99)}, most ${at(1)}\n`,
)
