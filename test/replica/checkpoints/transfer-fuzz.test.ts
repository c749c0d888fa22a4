// Goal: whatever mixture of servers there is, a transfer ends with the right state while one honest one is left, and within a bound.
// Method: each seed draws servers that lie, lose, are late, are gone or dead, a store that has some of it, and a disk that is slow or
// full. A failing seed stands in the test's name.

import { describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import type { ManifestEntry } from '../../../src/kernel/manifest.ts'
import type { TransferAnswer } from '../../../src/replica/checkpoints/transfer-messages.ts'
import { expectState } from './state.ts'
import { changeChunks, makeChunks, World, type Tamper } from './transfer-world.ts'

const seeds = Array.from({ length: 60 }, (_, index) => index + 1)
/** Backoff at its cap, and every server silent three times at its longest, and some more. */
const boundMs = 900_000

type Kind = TransferAnswer['kind']

function spoilEntries(random: Random, entries: ManifestEntry[]): ManifestEntry[] {
  if (entries.length === 0) return entries
  const at = random.below(entries.length)
  const entry = entries[at]!
  const changed = random.pick<ManifestEntry>([
    { ...entry, part: (entry.part + 1) % 6 },
    { ...entry, id: Uint8Array.of(7) },
    { ...entry, size: random.below(1000) },
    { ...entry, digest: new Uint8Array(32) },
  ])
  return random.chance(1, 2) ? entries.toSpliced(at, 1, changed) : entries.toSpliced(at, 1)
}

function spoil(random: Random, answer: TransferAnswer): TransferAnswer {
  switch (answer.kind) {
    case 'checkpoint': {
      const { checkpoint } = answer
      return {
        ...answer,
        checkpoint: random.chance(1, 2)
          ? { ...checkpoint, signatures: checkpoint.signatures.slice(1) }
          : { ...checkpoint, header: { ...checkpoint.header, height: checkpoint.header.height + 128 } },
      }
    }
    case 'manifest-page':
      return random.chance(1, 3)
        ? { ...answer, total: random.below(500) }
        : { ...answer, entries: spoilEntries(random, answer.entries) }
    case 'chunk':
      return random.chance(1, 2)
        ? { ...answer, bytes: answer.bytes.map((byte) => byte ^ 1) }
        : { ...answer, part: (answer.part + 1) % 5 }
    case 'lacking':
    case 'gone':
      return answer
  }
}

/** One way to be hostile, from now and then to always. */
function drawTamper(random: Random): Tamper {
  const often = random.pick([1, 10, 100])
  const kinds: Kind[] = ['checkpoint', 'manifest-page', 'chunk']
  const kind = random.pick(kinds)
  const way = random.below(6)
  return (answer) => {
    if (!random.chance(often, 100) || (kind !== answer.kind && !random.chance(1, 10))) return [answer]
    if (way === 0) return []
    if (way === 1) return [{ kind: 'gone', request: answer.request }]
    if (way === 2)
      return [{ kind: 'lacking', request: answer.request, digests: answer.kind === 'chunk' ? [answer.digest] : [] }]
    if (way === 3) return [answer, answer, { ...answer, request: answer.request + random.below(5) }]
    return [spoil(random, answer)]
  }
}

describe('a transfer from a mixture of servers', () => {
  it.each(seeds)('seed %i', (seed) => {
    const random = createRandom(`transfer ${seed}`)
    const world = new World(seed, 8)
    const old = makeChunks(random, random.between(1, 120), 3000)
    const chunks = changeChunks(random, old, random.below(old.length + 1))
    const newer = changeChunks(random, chunks, 1)
    const height = 256
    const honest = world.serve(2, { delayMs: random.between(1, 400), lost: random.below(20) })
    world.put(height, chunks, [honest])
    const others = random.below(6)
    for (let index = 0; index < others; index++) {
      const seat = world.serve(3 + index, { delayMs: random.between(1, 3000), lost: random.pick([0, 0, 30, 100]) })
      if (random.chance(3, 4)) seat.tamper = drawTamper(random)
      world.put(height, chunks, [seat])
      if (random.chance(1, 3)) world.put(height + 128, newer, [seat])
    }
    if (random.chance(1, 2)) {
      world.store.put(world.checkpointOf(128, old), old)
      const entries = [...world.store.stable[0]!.entries]
      for (let index = 0; index < random.below(4); index++) world.store.damage(random.pick(entries).digest)
    }
    if (random.chance(1, 3)) Object.assign(world.store, { bytesAtOnce: 20_000, drainMs: 300 })
    if (random.chance(1, 5)) world.store.errors.push(new Error('full'))
    const seats = [...world.servers.values()].sort(() => random.below(3) - 1)
    world.want(height, seats)
    world.run(boundMs)
    expect(world.done.length).toBe(1)
    // A newer one is as good, if whoever has it gives all of it.
    const fetched = world.done[0]!.header.height
    expectState(world, fetched, fetched === height ? chunks : newer)
    expect(world.noted('transfer-server-lied').filter(({ detail }) => detail!['server'] === honest.id)).toEqual([])
    expect(world.transfer.nextDueMs()).toBeNull()
  })
})
