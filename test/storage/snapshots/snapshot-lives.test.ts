// Many lives of one store: killed, without power, on a disk whose syncs fail. What it once answered as stable stays, whole.

import { describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import { checkpointOf, chunkOf, entriesOf, headerOf, readState, SnapshotBench, type State } from './snapshot-bench.ts'

const limits = { packBytesMax: 2048, groupBytesMax: 256, syncEveryBytes: 500, compactionBytesMax: 1500 }

function changed(random: Random, state: State): State {
  const next: Record<string, string> = { ...state }
  for (let change = random.between(0, 6); change > 0; change--) {
    const name = `chunk ${random.below(12)}`
    if (random.chance(1, 4)) delete next[name]
    else next[name] = String(random.below(1000)).repeat(random.between(0, 60))
  }
  return next
}

class Lives {
  readonly #random: Random
  readonly #bench: SnapshotBench
  readonly #written = new Map<number, State>()
  /** Heights that are stable for good, by what the store has answered. */
  #promised: number[] = []
  #state: State = {}
  #height = 0
  ends = { kills: 0, crashes: 0, failures: 0 }

  constructor(seed: string) {
    this.#random = createRandom(seed)
    this.#bench = new SnapshotBench(createRandom(`${seed} disk`), limits)
  }

  live(): void {
    const store = this.#bench.open()
    for (const { checkpoint, entries } of store.stable) {
      expect(readState(store, entries)).toEqual(this.#written.get(checkpoint.header.height))
    }
    // A newer one may have got to the disk before its answer.
    const found = this.#bench.stableHeights()
    const heights = [...new Set([...found, ...this.#promised])].sort((left, right) => right - left)
    expect(found).toEqual(heights.slice(0, 2))
    // Certified without having been finished in this life, or only later, or never.
    for (const { height } of store.uncertified) {
      if (this.#random.chance(1, 2)) store.certify(checkpointOf(height, this.#written.get(height)!), () => {})
    }
    // What it says of itself is a promise as soon as the disk has answered.
    this.#bench.run()
    this.#promised = this.#bench.stableHeights()
    for (let saves = this.#random.below(4); saves > 0 && this.#bench.store !== null; saves--) this.#save()
    if (this.#bench.store !== null) this.#save(this.#random.below(60))
    this.#end()
  }

  #save(steps = Infinity): void {
    this.#height += 10
    this.#state = changed(this.#random, this.#state)
    this.#written.set(this.#height, this.#state)
    if (this.#random.chance(1, 12)) this.#bench.disk.syncing = 'fails'
    if (this.#random.chance(1, 4)) this.#abandon()
    const answers = this.#bench.beginSave(this.#height, this.#state)
    for (let step = 0; step < steps && answers.certified === 'waiting' && this.#bench.scheduler.step(Infinity); step++);
    if (answers.certified === null) this.#promised = [this.#height, ...this.#promised].slice(0, 2)
    this.#bench.run(Math.min(steps, this.#random.below(40)))
    if (answers.certified !== null) this.#end()
  }

  /** Half of a state that then is not wanted. */
  #abandon(): void {
    const state = changed(this.#random, this.#state)
    const writer = this.#bench.store!.begin(headerOf(this.#height, state), entriesOf(state))
    for (const [name, contents] of Object.entries(state)) {
      const { entry, bytes } = chunkOf(name, contents)
      if (this.#random.chance(1, 2)) writer.add(entry, bytes)
    }
    if (this.#random.chance(1, 2)) writer.finish(() => {})
    this.#bench.run(this.#random.below(20))
    writer.abandon()
  }

  /** Ends the process, if it has not ended. */
  #end(): void {
    if (this.#bench.store === null) return
    this.#bench.store = null
    if (this.#bench.failure !== null) this.ends.failures++
    this.#bench.failure = null
    this.#bench.disk.heal()
    if (this.#random.chance(1, 2)) {
      this.ends.kills++
      this.#bench.disk.kill()
    } else {
      this.ends.crashes++
      this.#bench.disk.crash()
    }
  }
}

describe('many lives', () => {
  it('lose nothing that was answered as stable', () => {
    const ends = { kills: 0, crashes: 0, failures: 0 }
    for (let seed = 1; seed <= 100; seed++) {
      const lives = new Lives(`lives ${seed}`)
      for (let life = 0; life < 12; life++) lives.live()
      ends.kills += lives.ends.kills
      ends.crashes += lives.ends.crashes
      ends.failures += lives.ends.failures
    }
    for (const count of Object.values(ends)) expect(count).toBeGreaterThan(100)
  })
})
