// Who is let in: the rule of the links between replicas, where the world also knows which process is in truth the newest.

import { describe, expect, it } from 'vitest'
import { IncarnationMemory } from '../../src/simulator/incarnation-memory.ts'
import type { ReplicaId } from '../../src/kernel/ids.ts'

const [one, two, three] = [1, 2, 3] as ReplicaId[] as [ReplicaId, ReplicaId, ReplicaId]

function memory(): IncarnationMemory {
  return new IncarnationMemory([one, two, three])
}

describe('the memory of incarnations', () => {
  it('lets in each later start', () => {
    const made = memory()
    expect(made.admits(one, two, { incarnation: 1, life: 1 })).toBe(true)
    expect(made.admits(one, two, { incarnation: 2, life: 2 })).toBe(true)
    expect(made.seenBy(one, two)).toBe(2)
  })

  it('refuses a later process with an incarnation that was seen of an earlier one, or an older one', () => {
    const made = memory()
    made.admits(one, two, { incarnation: 5, life: 7 })
    expect(made.admits(one, two, { incarnation: 5, life: 8 })).toBe(false)
    expect(made.admits(one, two, { incarnation: 4, life: 8 })).toBe(false)
    expect(made.admits(one, two, { incarnation: 6, life: 8 })).toBe(true)
  })

  it('lets in what an earlier process sent and what arrives late', () => {
    const made = memory()
    made.admits(one, two, { incarnation: 5, life: 7 })
    expect(made.admits(one, two, { incarnation: 4, life: 6 })).toBe(true)
    expect(made.seenBy(one, two)).toBe(5)
  })

  it('says what all others have seen, and forgets with a disk', () => {
    const made = memory()
    made.admits(one, two, { incarnation: 5, life: 7 })
    expect(made.seenByAll(two)).toBe(0)
    made.admits(three, two, { incarnation: 4, life: 6 })
    expect(made.seenByAll(two)).toBe(4)
    made.forget(three)
    expect(made.seenByAll(two)).toBe(0)
    expect(made.seenBy(one, two)).toBe(5)
  })
})
