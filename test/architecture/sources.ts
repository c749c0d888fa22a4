// Reads the sources as text: what they import, and what they say outside of comments and strings.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeOf } from './code-text.ts'
import { rooms } from './rules.ts'

export interface Source {
  /** Below src/, with slashes. */
  path: string
  text: string
}

export interface Import {
  from: string
  /** A path below src/ for one of ours, else the module's name. */
  to: string
  ours: boolean
}

export const projectRoot: string = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** The TypeScript below a folder of the project, src/ if none is named. */
export function readSources(folder = 'src'): Source[] {
  const root = join(projectRoot, folder)
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return names
    .sort()
    .map((name) => ({ path: name.replaceAll('\\', '/'), text: readFileSync(join(root, name), 'utf8') }))
}

/** Whatever brings another module in: imports and exports from, for effects alone, for types, when called, and as `require`. */
export function importsOf({ path, text }: Source): Import[] {
  const code = codeOf(text)
  const found = codeOf(text, { keepStrings: true }).matchAll(
    /\bfrom\s*(['"])([^'"\n]+)\1|\b(?:import|require)\s*\(?\s*(['"`])([^'"`\n]+)\3/g,
  )
  // What stands inside a string, such as the text of an example, brings nothing in.
  const real = [...found].filter((match) => code[match.index] !== ' ')
  return real.map((match) => {
    const name = (match[2] ?? match[4])!
    const ours = name.startsWith('.')
    return { from: path, to: ours ? posix.normalize(posix.join(posix.dirname(path), name)) : name, ours }
  })
}

/** The room that holds a file; null if none does. */
export function roomOf(path: string): string | null {
  const holding = Object.keys(rooms).filter((room) => path === room || path.startsWith(`${room}/`))
  return holding.sort((left, right) => right.length - left.length)[0] ?? null
}

/** Every import that the rules forbid, in words. */
export function forbiddenImports(source: Source): string[] {
  const room = roomOf(source.path)
  if (room === null) return [`${source.path} lies in no room: name one in test/architecture/rules.ts`]
  const rule = rooms[room]!
  return importsOf(source).flatMap(({ to, ours }) => {
    if (ours) {
      const target = roomOf(to)
      if (target === null) return [`${source.path} imports ${to}, which lies in no room`]
      const allowed = rule.may === 'anything' ? !(rule.mayNot ?? []).includes(target) : rule.may.includes(target)
      if (target === room || allowed) return []
      return [`${source.path} imports ${to}: ${room} may not import ${target}`]
    }
    if (rule.may === 'anything' || (rule.node === true && to.startsWith('node:'))) return []
    if ((rule.packages ?? []).some((name) => to === name || to.startsWith(`${name}/`))) return []
    return [`${source.path} imports ${to}: ${room} may not`]
  })
}

/** True if a file hands on what another exports. */
export function isBarrel({ text }: Source): boolean {
  return /\bexport\s+(?:type\s+)?(?:\*|\{[^}]*\}\s*from\b)/.test(codeOf(text))
}

/** Files on a cycle of imports, as a path that returns to its first; empty if there is none. */
export function importCycle(sources: readonly Source[]): string[] {
  const graph = new Map(
    sources.map((source) => [
      source.path,
      importsOf(source)
        .filter((one) => one.ours)
        .map((one) => one.to),
    ]),
  )
  const state = new Map<string, 'open' | 'done'>()
  const trail: string[] = []
  const visit = (path: string): string[] => {
    if (state.get(path) === 'done') return []
    if (state.get(path) === 'open') return [...trail.slice(trail.indexOf(path)), path]
    state.set(path, 'open')
    trail.push(path)
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next)
      if (cycle.length > 0) return cycle
    }
    trail.pop()
    state.set(path, 'done')
    return []
  }
  for (const path of graph.keys()) {
    const cycle = visit(path)
    if (cycle.length > 0) return cycle
  }
  return []
}
