// Random histories with one liar among four or five, and two among seven: it signs whatever it likes, out of what it has seen. No two correct
// replicas decide different blocks, nobody correct is accused (the bench looks), and when it falls silent all goes on.

import { describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import type { PreparedCertificate, ViewChange } from '../../../src/protocols/pbft/messages.ts'
import { Bench, timeoutMs, type Sent } from './bench.ts'
import * as forge from './forging.ts'
import { contradictions, votesBelowAsked } from './words.ts'

const seeds = Number(process.env['PBFT_SEEDS'] ?? 12)
const first = Number(process.env['PBFT_FIRST_SEED'] ?? 1)

class Liar {
  readonly id: number
  readonly #bench: Bench
  readonly #random: Random
  /** Two or three for each height, the same ones again and again, so that votes meet. */
  readonly #blocks = new Map<number, forge.Forged[]>()
  readonly #changes: ViewChange[] = []
  readonly #certificates: PreparedCertificate[] = []
  readonly #seen: Sent[]
  #read = 0

  constructor(bench: Bench, id: number, random: Random) {
    this.#bench = bench
    this.id = id
    this.#random = random
    this.#seen = bench.sent
  }

  act(): void {
    this.#look()
    const { replicas } = this.#bench
    const to = replicas.filter(({ id, isUp }) => isUp && id !== this.id && this.#random.below(3) > 0)
    const view = this.#random.pick(replicas.filter(({ isUp }) => isUp)).status.view + this.#random.pick([0, 0, 0, 1, 2])
    const height = this.#random.between(1, 8)
    const block = this.#random.pick(this.#blocksAt(height))
    for (const replica of to) {
      switch (this.#random.below(6)) {
        case 0:
        case 1:
          replica.receive(this.id, forge.prePrepare(this.#bench, this.id, view, block))
          break
        case 2:
        case 3:
          for (const kind of ['prepare', 'commit'] as const) {
            replica.receive(this.id, forge.vote(this.#bench, this.id, kind, view, block))
          }
          break
        case 4:
          replica.receive(this.id, this.#viewChange(view))
          break
        default:
          this.#newView(view, replica.id)
      }
    }
  }

  /** What others propose is voted for too. */
  #look(): void {
    for (; this.#read < this.#seen.length; this.#read++) {
      const { message } = this.#seen[this.#read]!
      if (message.kind === 'view-change') {
        this.#changes.push(message)
        this.#certificates.push(...message.prepared)
      }
      if (message.kind === 'pre-prepare') {
        const { header, payload } = message
        const known = this.#blocksAt(header.height)
        const digest = forge.digestOf(header)
        if (!known.some((one) => one.digest.join() === digest.join())) known.push({ header, payload, digest })
      }
    }
  }

  #blocksAt(height: number): forge.Forged[] {
    const known = this.#blocks.get(height) ?? [
      forge.block(this.#bench, height, `liar's ${height}`),
      forge.nullBlock(height),
    ]
    this.#blocks.set(height, known)
    return known
  }

  #viewChange(view: number): ViewChange {
    const heights = new Map<number, PreparedCertificate>()
    for (const one of this.#certificates) {
      if (one.view < view && this.#random.below(2) === 0) heights.set(one.header.height, one)
    }
    if (this.#random.below(2) === 0) {
      const invented = this.#invented(view)
      if (invented !== null) heights.set(invented.header.height, invented)
    }
    const prepared = [...heights.values()].sort((left, right) => left.header.height - right.header.height)
    const made = forge.viewChange(this.#bench, this.id, view, { prepared })
    this.#changes.push(made)
    return made
  }

  /** Its own pre-prepare in a view that it led, with prepares that nobody has made. */
  #invented(below: number): PreparedCertificate | null {
    const { voters, quorum } = this.#bench.membership
    for (let view = below - 1; view >= 0; view--) {
      if (voters[view % voters.length] !== this.id) continue
      const block = this.#random.pick(this.#blocksAt(this.#random.between(1, 8)))
      const backups = voters.filter((id) => id !== this.id).slice(0, quorum - 1)
      const claim = forge.certificate(this.#bench, view, block, this.id, backups)
      return forge.withPrepares(claim, forge.wrong(claim.prepares))
    }
    return null
  }

  /** Of some quorum that it has seen, with what follows from it, or with what it would like. */
  #newView(view: number, to: number): void {
    const { quorum } = this.#bench.membership
    if (this.#bench.membership.voters[view % this.#bench.membership.voters.length] !== this.id) return
    const bySender = new Map<number, ViewChange>()
    bySender.set(this.id, this.#viewChange(view))
    for (const one of this.#changes) {
      if (one.view === view && this.#random.below(2) === 0) bySender.set(one.sender, one)
    }
    const cited = [...bySender.values()].slice(0, quorum)
    const highest = new Map<number, PreparedCertificate>()
    for (const { prepared } of cited) {
      for (const one of prepared) {
        if ((highest.get(one.header.height)?.view ?? -1) < one.view) highest.set(one.header.height, one)
      }
    }
    const proposed = Array.from({ length: Math.max(0, ...highest.keys()) }, (_, index) => {
      const header = highest.get(index + 1)?.header
      if (this.#random.below(8) === 0) return this.#random.pick(this.#blocksAt(index + 1))
      return header === undefined ? forge.nullBlock(index + 1) : forge.ofHeader(header)
    })
    const replica = this.#bench.replica(to)
    replica.receive(this.id, forge.newView(this.#bench, this.id, view, cited, proposed))
    for (const one of cited) replica.receive(this.id, one)
  }
}

function run(seed: number): void {
  const random = createRandom(`liar ${seed}`)
  const voters = random.pick([4, 4, 5, 7])
  const bench = new Bench({
    voters,
    parameters: { batch: { lingerMs: 0, operationsMax: 2 }, pbft: { windowBlocks: 8 }, timers: { heartbeatMs: 500 } },
  })
  const correct = bench.replicas.filter(({ id }) => id > (voters - 1) / 3)
  const liars = bench.replicas.filter(({ id }) => !correct.some((one) => one.id === id))
  for (const { id } of liars) bench.liars.add(id)
  for (const replica of correct) replica.start()
  const lies = liars.map(({ id }) => new Liar(bench, id, random))
  for (let step = 0; step < 60; step++) {
    const replica = random.pick(correct)
    if (random.below(3) === 0) replica.propose(`s${step}`)
    if (random.below(12) === 0) replica.crash().start()
    for (let time = random.below(4); time > 0; time--) random.pick(lies).act()
    bench.take(() => random.below(10) === 0)
    for (let round = random.below(4); round > 0; round--) bench.deliver(() => random.below(3) > 0)
    if (random.below(4) === 0) bench.elapse(random.pick([100, 600, 1500]))
  }
  for (const replica of correct) replica.propose('last')
  for (let round = 0; round < 4; round++) {
    bench.elapse(40 * timeoutMs)
    const height = Math.min(...correct.map(({ decidedHeight }) => decidedHeight))
    for (const replica of correct) if (height > 0) replica.certified(height)
  }
  const isCorrect = (id: number): boolean => correct.some((one) => one.id === id)
  // What a liar has said, correct ones hand on.
  const words = bench.sent.filter(({ from, message }) => {
    if (message.kind === 'new-view') return isCorrect(bench.membership.voters[message.view % voters]!)
    return isCorrect(message.kind === 'view-change' ? message.sender : from)
  })
  expect(contradictions(words)).toEqual([])
  expect(votesBelowAsked(words)).toEqual([])
  for (const replica of correct) expect(replica.texts, `replica ${replica.id}`).toContain('last')
}

describe('random histories with liars', () => {
  for (let seed = first; seed < first + seeds; seed++) it(`seed ${seed}`, () => run(seed))
})
