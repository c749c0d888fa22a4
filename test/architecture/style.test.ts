// Habits that a reader relies on, on sources and tests as they are; and each on a text that breaks it.

import { describe, expect, it } from 'vitest'
import { codeOf } from './code-text.ts'
import { readSources } from './sources.ts'

const sources = readSources()
const tests = readSources('test')
const linesMax = 500

const banned: readonly { name: string; pattern: RegExp; broken: string }[] = [
  {
    name: 'a default export',
    pattern: /\bexport\s+default\b|\bas\s+default\b/,
    broken: 'export default function f() {}',
  },
  { name: 'an enum', pattern: /\benum\s+\w+\s*\{/, broken: 'export const enum Kind { one }' },
  { name: 'a namespace', pattern: /\b(?:namespace|module)\s+\w+\s*\{/, broken: 'export namespace N {}' },
  { name: 'a decorator', pattern: /(?:^|\n)\s*@\w+/, broken: '@sealed\nclass A {}' },
  { name: 'any', pattern: /(?:[:<,|&(]\s*|\bas\s+|=>\s*)any\b/, broken: 'const a = b as any' },
  {
    name: 'a private or protected member, where # is meant',
    pattern: /\b(?:private|protected|public)\s+(?:readonly\s+)?\w+\s*[(:=;]/,
    broken: 'class A { private b = 1 }',
  },
  {
    name: 'a comment that silences the compiler',
    pattern: /@ts-(?:ignore|nocheck|expect-error)/,
    broken: '// @ts-ignore',
  },
]

/** What silences the compiler stands in comments; all else is looked for in code. */
function found(text: string, { name, pattern }: (typeof banned)[number]): boolean {
  return pattern.test(name.startsWith('a comment') ? text : codeOf(text))
}

const unfinished = /\b(?:describe|it|test)\s*\.\s*(?:only|skip|todo|skipIf|runIf|fails)\b|\b[xf](?:it|describe)\s*\(/

describe('style', () => {
  it('names files in kebab-case', () => {
    const names = [...sources, ...tests].map(({ path }) => path)
    expect(names.filter((path) => !isKebabCase(path))).toEqual([])
    for (const wrong of ['kernel/blockHeader.ts', 'kernel/Block.ts', 'wire/a_b.ts', 'wire/-a.ts']) {
      expect(isKebabCase(wrong)).toBe(false)
    }
  })

  it.each(banned)('has no $name', (rule) => {
    expect(sources.filter(({ text }) => found(text, rule)).map(({ path }) => path)).toEqual([])
    expect(found(rule.broken, rule)).toBe(true)
    expect(found(`const text = '${rule.broken.replaceAll('\n', ' ')}'`, rule)).toBe(rule.name.startsWith('a comment'))
  })

  it(`keeps a file to one idea: none above ${linesMax} lines`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length > linesMax)
    expect(long.map(({ path }) => path)).toEqual([])
  })

  it('leaves no test out', () => {
    expect(tests.filter(({ text }) => unfinished.test(codeOf(text))).map(({ path }) => path)).toEqual([])
    for (const text of [
      "it.only('a', f)",
      "describe.skip('a', f)",
      "test.todo('a')",
      "xit('a', f)",
      "it\n.skip('a', f)",
    ]) {
      expect(unfinished.test(text)).toBe(true)
    }
  })
})

function isKebabCase(path: string): boolean {
  return path.split('/').every((part) => /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|property\.test))?(?:\.ts)?$/.test(part))
}
