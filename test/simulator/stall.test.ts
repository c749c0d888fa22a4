// Goal: a healed core owes what its clients asked for, and not what a lost replica alone can know.

import { describe, expect, it } from 'vitest'
import { emptyPayload, type Block } from '../../src/kernel/block.ts'
import { runSeed } from '../../src/simulator/simulation.ts'
import { heightOwed } from '../../src/simulator/stall.ts'

const replica = (executedHeight: number) => ({ id: 1, executedHeight, describe: () => '' })
const block = (payload: Uint8Array) => ({ header: {}, payload }) as unknown as Block
const full = block(Uint8Array.of(1, 0, 0, 0))
const empty = block(emptyPayload)

describe('what a healed core owes', () => {
  it.each([
    { name: 'a block that holds something, whoever has decided it', executed: [4, 4], blocks: [full, empty], owed: 5 },
    { name: 'no empty blocks behind it, that none of them knows', executed: [4, 4], blocks: [empty, empty], owed: 4 },
    { name: 'an empty block that one of them has executed', executed: [4, 5], blocks: [empty, empty], owed: 5 },
  ])('is $name', ({ executed, blocks, owed }) => {
    const decided = new Map(blocks.map((one, index) => [5 + index, one]))
    expect(heightOwed(executed.map(replica), 6, decided)).toBe(owed)
  })

  // Replica 4, whom nobody hears any more, had alone the certificate that commits an empty block; all that clients had asked for lay below.
  it('was done where a mute replica had decided an empty block more (seed 8387)', () => {
    expect(runSeed({ protocol: 'hotstuff', replicas: 4, faults: 'all', seed: 8387 }).verdict).toBe('passed')
  })
})
