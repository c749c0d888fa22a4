// What is accepted is what the table says, and what a value may be is said in one sentence.

import { describe, expect, it } from 'vitest'
import { help, number, parseOptions, requiredText, texts, UsageError, type CommandSpec } from '../../src/cli/options.ts'

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

describe('an option that may be given again', () => {
  const spec: CommandSpec = {
    name: 'test',
    summary: '',
    usage: '',
    options: [
      { name: 'address', value: 'ADDRESS', description: 'where', repeatable: true },
      { name: 'name', value: 'NAME', description: 'who' },
    ],
    examples: [],
  }

  it('has all its values, in the order given', () => {
    expect(texts(parseOptions(spec, ['--address', 'b', '--name=n', '--address=a']), 'address')).toEqual(['b', 'a'])
    expect(texts(parseOptions(spec, ['--address', 'b']), 'address')).toEqual(['b'])
    expect(texts(parseOptions(spec, []), 'address')).toEqual([])
  })

  it('says so, and the others may not be', () => {
    expect(help(spec)).toContain('where (may be given again)')
    expect(help(spec)).not.toContain('who (')
    expect(() => parseOptions(spec, ['--name', 'a', '--name', 'b'])).toThrow('--name is given twice')
  })

  it('is told from one that must be given', () => {
    expect(requiredText(parseOptions(spec, ['--name', 'a']), spec, 'name')).toBe('a')
    for (const args of [[], ['--name=']]) {
      expect(() => requiredText(parseOptions(spec, args), spec, 'name')).toThrow(
        new UsageError('--name is missing: say --name NAME'),
      )
    }
  })
})
