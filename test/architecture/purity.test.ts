// The pure rooms have no clock, timer, randomness, promise or I/O: on the sources as they are, and each ban on a text that breaks it.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeOf } from './code-text.ts'
import { hostGlobals, impure, rooms } from './rules.ts'
import { projectRoot, readSources, roomOf } from './sources.ts'

const pureRooms = Object.keys(rooms).filter((room) => rooms[room]!.pure)
const reasons = (text: string): string[] =>
  impure.filter(({ pattern }) => pattern.test(codeOf(text))).map(({ why }) => why)

describe('purity', () => {
  it('holds in every pure room', () => {
    const pure = readSources().filter(({ path }) => pureRooms.includes(roomOf(path) ?? ''))
    expect(pure.length).toBeGreaterThan(50)
    expect(pure.flatMap(({ path, text }) => reasons(text).map((why) => `${path} uses ${why}`))).toEqual([])
  })

  it.each(Object.keys(hostGlobals))('is broken by %s, called, read, made or handed on', (name) => {
    for (const text of [
      `${name}('x')`,
      `const a = ${name}.b`,
      `new ${name}(1)`,
      `f(${name})`,
      `const { a } = ${name}`,
    ]) {
      expect(reasons(text), text).not.toEqual([])
    }
  })

  it.each([
    'const die = Math.random()',
    'Math.log(2)',
    'const { random } = Math',
    "Math['random']()",
    'const m = Math',
    'const power = base ** exponent',
    'x **= 2',
    'const power = x2 ** 3',
    'const power = 1.2 ** 3',
    'async function f() {}',
    'await one',
    "const late = import('./a.ts')",
    'import.meta.url',
    'a.localeCompare(b)',
    'a.toLocaleUpperCase()',
    "a.normalize('NFC')",
    'error.stack',
    'const text = `${Date.now()}`',
    'const text = `a ${`b ${Date.now()}`} c`',
    'const quotes = /[\'"]/.test(a) && Date.now()',
    'const half = a / 2; const now = Date.now() / 2',
    "const odd = '\\\\'; Date.now(); const end = ''",
  ])('is broken by: %s', (text) => {
    expect(reasons(text)).not.toEqual([])
  })

  it.each([
    "// Date.now()\n/* await */ const a = 'Promise' + `Math.random` // process.exit()",
    'const power = 2 ** 50',
    'const least = Math.min(Math.floor(a / 2), Math.imul(b, 3))',
    'effects.fetch(wanted, from)',
    'interface Effects { fetch(wanted: Wanted): void }',
    'const effects = { fetch: (wanted) => queue.add(wanted) }',
    'const pattern = /Date.now()/',
    'const text = `Date ${now} Date`',
    'const updated = mandate.Date1',
    "const escaped = 'it\\'s Date.now()'",
  ])('is not broken by: %s', (text) => {
    expect(reasons(text)).toEqual([])
  })
})

describe('the linter', () => {
  interface Override {
    files: string[]
    rules: Record<string, unknown[]>
  }
  const configuration = readFileSync(join(projectRoot, '.oxlintrc.json'), 'utf8')
  const { overrides } = JSON.parse(configuration) as { overrides: Override[] }
  const pure = overrides.find(({ rules }) => rules['no-restricted-globals'] !== undefined)!

  it('knows the same pure rooms and the same globals', () => {
    expect(pure.files).toEqual(pureRooms.map((room) => `src/${room}/**/*.ts`))
    const names = pure.rules['no-restricted-globals']!.slice(1) as { name: string; message: string }[]
    expect(names).toEqual(Object.entries(hostGlobals).map(([name, message]) => ({ name, message })))
  })

  it.each([
    ['src/kernel/x.ts', 'export const a = (c: boolean) => (c ? process : 1)\n', 'no-restricted-globals'],
    ['src/wire/x.ts', 'export const now = () => Date.now()\n', 'no-restricted-globals'],
    ['src/protocols/pbft/x.ts', "import 'node:fs'\n", 'no-restricted-imports'],
    ['src/simulator/deep/x.ts', 'export const die = () => Math.random()\n', 'no-restricted-properties'],
    ['src/cli/x.ts', 'export const a = (b: any) => b\n', 'no-explicit-any'],
  ])('refuses in %s: %s', (path, text, rule) => {
    expect(lint(path, text)).toContain(rule)
  })

  it('lets alone what is ours, or not in a pure room', () => {
    const own = 'export function f(effects: { fetch(what: string): void }) {\n  effects.fetch("a")\n}\n'
    expect(lint('src/kernel/x.ts', own)).toContain('Found 0 warnings and 0 errors')
    expect(lint('src/cli/x.ts', 'export const now = () => Date.now()\n')).toContain('Found 0 warnings and 0 errors')
  })

  /** What the linter says of one file in a project of its own. */
  function lint(path: string, text: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-lint-'))
    try {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, '.oxlintrc.json'), configuration)
      writeFileSync(join(folder, path), text)
      const oxlint = join(projectRoot, 'node_modules/oxlint/bin/oxlint')
      return spawnSync(process.execPath, [oxlint, '--deny-warnings'], { cwd: folder, encoding: 'utf8' }).stdout
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
})
