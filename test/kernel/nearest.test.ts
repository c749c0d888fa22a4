// Goal: a suggestion helps or is not made.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nearest } from '../../src/kernel/nearest.ts'

const known = ['raft', 'pbft', 'hotstuff']

it.each([
  ['rafft', 'raft'],
  ['RAFT', 'raft'],
  ['pbtf', 'pbft'],
  ['hot-stuff', 'hotstuff'],
  ['hotstuf', 'hotstuff'],
  ['raft', 'raft'],
  // As far from one as from the other: the first.
  ['bft', 'pbft'],
])('%s: did you mean %s?', (word, expected) => {
  expect(nearest(word, known)).toBe(expected)
})

it.each([
  ['seeds', 'seeds'],
  ['sed', 'seed'],
  ['sedes', 'seeds'],
  ['replcas', 'replicas'],
  ['xyreplicasz', 'replicas'],
  ['rekord', 'record'],
])('%s: did you mean --%s?', (word, expected) => {
  expect(nearest(word, ['seeds', 'seed', 'replicas', 'record'])).toBe(expected)
})

it.each(['wxreplicasyz', 'protocol'])('no option is near to %s', (word) => {
  expect(nearest(word, ['seeds', 'seed', 'replicas', 'record'])).toBeNull()
  expect(nearest(word, [])).toBeNull()
})

it.each(['', 'paxos-and-more', 'x'.repeat(100_000)])('nothing is near to %s', (word) => {
  expect(nearest(word, known)).toBeNull()
})

it('names something known or nothing, and what is known itself', () => {
  fc.assert(fc.property(fc.string(), (word) => [...known, null].includes(nearest(word, known))))
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.stringMatching(/^[a-z]{4,9}$/), { minLength: 1 }),
      (words) => nearest(words.at(-1)!, words) === words.at(-1),
    ),
  )
})
