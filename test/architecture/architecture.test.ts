// The rules of the house, on the sources as they are; and each rule on a text that breaks it, so that none is asleep.

import { describe, expect, it } from 'vitest'
import { impure, rooms, type Room } from './rules.ts'
import { codeOf, forbiddenImports, importCycle, readSources, roomOf } from './sources.ts'

const sources = readSources()

describe('imports', () => {
  it('go only where the rooms allow', () => {
    expect(sources.flatMap((source) => forbiddenImports(source))).toEqual([])
  })

  it('make no cycle', () => {
    expect(importCycle(sources)).toEqual([])
  })

  it.each([
    ['protocols/raft/x.ts', "import { y } from '../../execution/executor.ts'"],
    ['protocols/raft/x.ts', "import type { y } from '../../crypto/node/y.ts'"],
    ['kernel/x.ts', "import { readFileSync } from 'node:fs'"],
    ['kernel/x.ts', "export * from '../execution/executor.ts'"],
    ['wire/x.ts', "import {\n  a,\n  b,\n} from '../kernel/ids.ts'"],
    ['simulator/x.ts', "import { nodeHasher } from '../crypto/node/sha256-hasher.ts'"],
    ['storage/log/x.ts', "import { z } from 'some-package'"],
    ['execution/x.ts', "const late = import('../cli/main.ts')"],
  ])('are found where they are forbidden: %s %s', (path, text) => {
    expect(forbiddenImports({ path, text })).toHaveLength(1)
  })

  it('are found to make a cycle when they do', () => {
    const cycle = importCycle([
      { path: 'kernel/a.ts', text: "import { b } from './b.ts'" },
      { path: 'kernel/b.ts', text: "import type { c } from './c.ts'" },
      { path: 'kernel/c.ts', text: "import { a } from './a.ts'" },
    ])
    expect(cycle).toEqual(['kernel/a.ts', 'kernel/b.ts', 'kernel/c.ts', 'kernel/a.ts'])
  })
})

describe('purity', () => {
  const pure = sources.filter((source) => (rooms[roomOf(source.path)] as Room).pure)

  it('holds in every pure room', () => {
    const found = pure.flatMap(({ path, text }) =>
      impure.filter(({ pattern }) => pattern.test(codeOf(text))).map(({ why }) => `${path} uses ${why}`),
    )
    expect(pure.length).toBeGreaterThan(50)
    expect(found).toEqual([])
  })

  it.each([
    'const now = Date.now()',
    'performance.now()',
    'setTimeout(() => {}, 1)',
    'const die = Math.random()',
    'Math.log(2)',
    'async function f() {}',
    'return new Promise(done)',
    'process.exit(1)',
    'console.log(1)',
    'new WeakRef(x)',
    'a.localeCompare(b)',
    'const text = `${Date.now()}`',
  ])('is broken by: %s', (text) => {
    expect(impure.some(({ pattern }) => pattern.test(codeOf(text)))).toBe(true)
  })

  it('is not broken by words in comments and strings', () => {
    const text = "// Date.now()\n/* await */ const a = 'Promise' + `Math.random` // process.exit()"
    expect(impure.some(({ pattern }) => pattern.test(codeOf(text)))).toBe(false)
  })
})

describe('style', () => {
  it('names files in kebab-case', () => {
    expect(sources.map(({ path }) => path).filter((path) => !/^[a-z0-9/-]+\.ts$/.test(path))).toEqual([])
  })

  it('has no default exports, enums, namespaces, decorators or any', () => {
    const banned = /\bexport default\b|\benum \w+ \{|\bnamespace \w+ \{|^\s*@\w+\(|: any\b|<any>|as any\b/m
    expect(sources.filter(({ text }) => banned.test(codeOf(text))).map(({ path }) => path)).toEqual([])
  })

  it('keeps a file to one idea: none above 500 lines', () => {
    expect(sources.filter(({ text }) => text.split('\n').length > 500).map(({ path }) => path)).toEqual([])
  })
})
