// Reads the sources as text: what they import, and what they say outside of comments and strings.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rooms, type Room } from './rules.ts'

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

export function readSources(): Source[] {
  const root = join(dirname(fileURLToPath(import.meta.url)), '../../src')
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return names
    .sort()
    .map((name) => ({ path: name.replaceAll('\\', '/'), text: readFileSync(join(root, name), 'utf8') }))
}

export function importsOf({ path, text }: Source): Import[] {
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*(?:\{[^}]*\})?[^'"\n;]*from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g,
  )
  return [...found].map((match) => {
    const name = (match[1] ?? match[2])!
    const ours = name.startsWith('.')
    return { from: path, to: ours ? posix.normalize(posix.join(posix.dirname(path), name)) : name, ours }
  })
}

export function roomOf(path: string): keyof typeof rooms {
  const names = Object.keys(rooms) as (keyof typeof rooms)[]
  const holding = names.filter((room) => room === '' || path.startsWith(`${room}/`))
  return holding.sort((left, right) => right.length - left.length)[0]!
}

/** Every import that the rules forbid, in words. */
export function forbiddenImports(source: Source): string[] {
  const room = roomOf(source.path)
  const rule: Room = rooms[room]
  return importsOf(source).flatMap(({ to, ours }) => {
    if (ours) {
      const target = roomOf(to)
      if (target === room || rule.may === 'anything' || rule.may.includes(target)) return []
      return [`${source.path} imports ${to}: ${room} may not import ${target}`]
    }
    if (rule.may === 'anything' || (rule.node === true && to.startsWith('node:'))) return []
    if ((rule.packages ?? []).some((name) => to === name || to.startsWith(`${name}/`))) return []
    return [`${source.path} imports ${to}: ${room} may not`]
  })
}

/** The text with comments and the contents of strings blanked out; what stands in a template's braces stays. */
export function codeOf(text: string): string {
  const parts = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|\$\{[^}]*\}|[^`\\])*`/g
  return text.replace(parts, (part) => {
    if (!part.startsWith('`')) return part.replace(/[^\n]/g, ' ')
    const inner = [...part.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1])
    return ` ${inner.join(' ')} `
  })
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
