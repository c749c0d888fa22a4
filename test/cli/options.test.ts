// A hint is worth giving when it is near, and never when it is a guess.

import { describe, expect, it } from 'vitest'
import { nearest, number, parseOptions, UsageError, type CommandSpec } from '../../src/cli/options.ts'

describe('the nearest known word', () => {
  const known = ['seeds', 'seed', 'replicas', 'record']

  it.each([
    ['seeds', 'seeds'],
    ['sed', 'seed'],
    ['sedes', 'seeds'],
    ['replcas', 'replicas'],
    ['repplicass', 'replicas'],
    ['rekord', 'record'],
    ['xyreplicasz', 'replicas'],
  ])('of %s is %s', (word, near) => {
    expect(nearest(word, known)).toBe(near)
  })

  it.each(['wxreplicasyz', 'protocol', 'seeds'.repeat(10_000)])('is none for %s, which is too far from all', (word) => {
    expect(nearest(word, known)).toBeNull()
  })

  it('is none where nothing is known', () => {
    expect(nearest('seeds', [])).toBeNull()
  })
})

describe('a number', () => {
  const spec: CommandSpec = {
    name: 'test',
    summary: '',
    usage: '',
    options: [{ name: 'count', value: 'N', description: '' }],
    examples: [],
  }
  const read = (...args: string[]): number => number(parseOptions(spec, args), 'count', 7, 2, 40)

  it('is the default where it was not given, and may lie on both bounds', () => {
    expect([read(), read('--count', '2'), read('--count=40')]).toEqual([7, 2, 40])
  })

  it.each(['1', '41', '', ' 3', '3.0', '1e1', '0x9', '-3', 'NaN', '9'.repeat(400)])('is refused as %j', (value) => {
    expect(() => read(`--count=${value}`)).toThrow(UsageError)
    expect(() => read(`--count=${value}`)).toThrow('must be a whole number from 2 to 40')
  })
})
