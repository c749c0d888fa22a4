// Goal: both halves of a history's hash depend on all that happened before, or half of it says nothing.

import { describe, expect, it } from 'vitest'
import { HistoryHash } from '../../src/simulator/history-hash.ts'

function hashOf(first: number, ...then: readonly number[]): [string, string] {
  const hash = new HistoryHash()
  hash.number(first)
  hash.bytes(Uint8Array.from(then))
  const hex = hash.hex()
  return [hex.slice(0, 8), hex.slice(8)]
}

describe('the hash of a history', () => {
  it('is the same for the same', () => {
    expect(hashOf(1, 2, 3)).toEqual(hashOf(1, 2, 3))
  })

  it.each([
    ['what came before some bytes', hashOf(2, 2, 3)],
    ['the bytes', hashOf(1, 2, 4)],
    ['their number', hashOf(1, 2, 3, 0)],
  ])('differs in both halves by %s', (_by, other) => {
    const one = hashOf(1, 2, 3)
    expect(other[0]).not.toBe(one[0])
    expect(other[1]).not.toBe(one[1])
  })
})
