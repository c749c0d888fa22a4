// Goal: what is read is what the built-in parser reads, and what is refused is refused with its line, never by an exception.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonDepthMax, parseStrictJson, shown } from '../../src/kernel/strict-json.ts'

const stricter = /a second time|nests deeper|too long/

describe('strict JSON', () => {
  it('is read as the built-in parser reads it', () => {
    const same = (text: string): void => {
      const parsed = parseStrictJson(text)
      if (parsed.ok) expect(JSON.stringify(parsed.value)).toBe(JSON.stringify(JSON.parse(text)))
      else expect(parsed.reason).toMatch(stricter)
    }
    fc.assert(fc.property(fc.json({ maxDepth: 6 }), (text) => void same(text)))
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => void same(JSON.stringify(value, null, 1))))
  })

  it('accepts nothing that the built-in parser refuses, and throws at nothing', () => {
    const character = fc.constantFrom(...'{}[]",:0123e-+.\\ \ntruefalsn\u00e9\u0000'.split(''))
    const noMore = (text: string): void => {
      if (parseStrictJson(text).ok) expect(() => JSON.parse(text) as unknown).not.toThrow()
    }
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 30 }), (text) => void noMore(text)),
      { numRuns: 3000 },
    )
    const mutated = fc.tuple(fc.json({ maxDepth: 3 }), fc.nat(), character)
    fc.assert(
      fc.property(mutated, ([text, at, one]) => {
        const place = at % (text.length + 1)
        noMore(text.slice(0, place) + one + text.slice(place + 1))
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['{"a": 1, "a": 1}', 1, 'says "a" a second time in one object'],
    ['{"a": 1,\n "\\u0061": 2}', 2, 'says "a" a second time in one object'],
    ['{"__proto__": 1, "__proto__": 2}', 1, 'says "__proto__" a second time in one object'],
    ['[\n1,\n]', 3, 'has no value where one belongs'],
    ['[1 2]', 1, 'lacks a comma or ]'],
    ['{"a" 1}', 1, 'lacks a colon'],
    ['{a: 1}', 1, 'has no name in quotes where one belongs'],
    ['[1] 2', 1, 'has something behind the end'],
    ['"abc', 1, 'has text that is not closed, or holds what text may not'],
    ['01', 1, 'has a number that is none'],
    ['1'.repeat(41), 1, 'has a number that is too long'],
    ['\n\n', 3, 'ends too early'],
    ['NaN', 1, 'has no value where one belongs'],
    ['['.repeat(jsonDepthMax + 1), 1, `nests deeper than ${jsonDepthMax} levels`],
  ])('refuses %j in words', (text, line, reason) => {
    expect(parseStrictJson(text)).toEqual({ ok: false, line, reason })
  })

  it('goes as deep as it says', () => {
    const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
    expect(parseStrictJson(deep(jsonDepthMax)).ok).toBe(true)
    expect(parseStrictJson(deep(jsonDepthMax + 1)).ok).toBe(false)
    // One level closed is one level free again.
    expect(parseStrictJson(`[${Array.from({ length: 100 }, () => deep(jsonDepthMax - 1)).join(',')}]`).ok).toBe(true)
  })

  it('has no names but those that are written', () => {
    const parsed = parseStrictJson('{"__proto__": {"admin": true}}')
    if (!parsed.ok) throw new Error(parsed.reason)
    expect((parsed.value as Record<string, unknown>)['admin']).toBeUndefined()
    expect(Object.keys(parsed.value as object)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })
})

describe('a value from outside in a sentence', () => {
  it.each([
    [undefined, 'missing'],
    ['a', '"a"'],
    [{ a: [1] }, '{"a":[1]}'],
    ['\u001b[2J\u009b\u202e\n', '"\\u001b[2J\\u009b\\u202e\\n"'],
    ['x'.repeat(100), `"${'x'.repeat(39)}…`],
    [() => 1, 'unreadable'],
  ])('is short and safe to print: %j', (value, text) => {
    expect(shown(value)).toBe(text)
  })
})
