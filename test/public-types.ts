// What users can import, as one text: each entry's exported names, and the declarations that they are made of, from what `tsc` emits.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
/** Rooms that no user's type names: they may change. */
const insides = /^(client[/]core|wire|storage[/]log|network[/]link)[/]/
const entries = ['index', 'client/node', 'client/browser', 'testing/index']

/** The entries' declarations, then those of every file that they name something from. */
export function publicTypes(): string {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-types-'))
  try {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const args = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--sourceMap', 'false', '--outDir', folder]
    execFileSync(process.execPath, [compiler, ...args], { cwd: root })
    return rolledUp(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function rolledUp(folder: string): string {
  const found = new Map<string, string>()
  const waiting = entries.map((entry) => join(folder, `${entry}.d.ts`))
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (found.has(path)) continue
    const text = withoutComments(readFileSync(path, 'utf8'))
    found.set(path, text)
    for (const [, name] of text.matchAll(/(?:from |import\()["'](\.[^"']+)\.[jt]s["']/g)) {
      const next = resolve(dirname(path), `${name}.d.ts`)
      if (!insides.test(relative(folder, next))) waiting.push(next)
    }
  }
  const isEntry = (path: string): boolean => entries.includes(relative(folder, path).replace(/\.d\.ts$/, ''))
  const paths = [...found.keys()].toSorted()
  const ordered = [...paths.filter(isEntry), ...paths.filter((path) => !isEntry(path))]
  return ordered.map((path) => `// ${relative(folder, path)}\n${found.get(path)!.trim()}\n`).join('\n')
}

/** What people read about a type may change. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*\*?[\s\S]*?\*\//g, '').replaceAll(/^\s*\n/gm, '')
}
