// Goal: the page that other implementations are written from names every codec, variant, tag, code and field that there is.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encode } from '../../src/wire/codec.ts'
import { readSources } from '../architecture/sources.ts'
import { registry } from './registry.ts'

const page = readFileSync(new URL('../../docs/wire-format.md', import.meta.url), 'utf8')
const rows = new Map([...page.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map((match) => [match[1]!, match[2]!]))
const sources = readSources()

describe('docs/wire-format.md', () => {
  it('has a row for every codec that the sources export', () => {
    const exported = sources
      .filter(({ path }) => !path.startsWith('wire/'))
      .flatMap(({ text }) => [...text.matchAll(/^export const (\w+): Codec</gm)].map((match) => match[1]!))
    expect(exported.length).toBeGreaterThan(20)
    expect(exported.filter((name) => !rows.has(name))).toEqual([])
  })

  it('has no row for a codec that is gone', () => {
    const text = sources.map((source) => source.text).join('\n')
    expect([...rows.keys()].filter((name) => name.endsWith('Codec') && !text.includes(`export const ${name}`))).toEqual(
      [],
    )
  })

  it('has every variant with its tag', () => {
    const variants = registry.flatMap(({ name, codec, value }) => {
      const kind = kindOf(value)
      return kind === null ? [] : [{ codec: name.split(' ')[0]!, variant: `${encode(codec, value)[0]!} ${kind}` }]
    })
    expect(variants.length).toBeGreaterThan(40)
    const missing = variants.filter(({ codec, variant }) => !new RegExp(`\\b${variant}\\b`).test(rows.get(codec) ?? ''))
    expect(missing).toEqual([])
  })

  it('has every field of every variant', () => {
    const missing = registry.flatMap(({ name, value }) => {
      const codec = name.split(' ')[0]!
      if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) return []
      const row = rows.get(codec) ?? ''
      return Object.keys(value)
        .filter((field) => field !== 'kind' && !row.includes(field))
        .map((field) => `${codec}.${field}`)
    })
    expect([...new Set(missing)]).toEqual([])
  })

  it('has every code of an error', () => {
    const text = sources.find(({ path }) => path === 'wire/error.ts')!.text
    const codes = [...text.matchAll(/'(ERR_WIRE_\w+)'/g)].map((match) => match[1]!)
    expect(codes.length).toBeGreaterThan(4)
    expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([])
  })

  it('has every code of a network file that is refused', () => {
    const text = sources.find(({ path }) => path === 'kernel/network-file-fields.ts')!.text
    const codes = [...text.matchAll(/^ {2}\| '(ERR_NETWORK_\w+)'/gm)].map((match) => match[1]!)
    expect(codes.length).toBeGreaterThan(9)
    const listed = [...page.matchAll(/^\| `(ERR_NETWORK_\w+)` \|/gm)].map((match) => match[1]!)
    expect(listed).toEqual(codes)
  })

  it('links to the pages that are its parts', () => {
    for (const part of [
      'wire-format-signatures.md',
      'wire-format-log.md',
      'wire-format-snapshots.md',
      'wire-format-evidence.md',
    ]) {
      expect(page).toContain(`](${part})`)
      expect(readFileSync(new URL(`../../docs/${part}`, import.meta.url), 'utf8').length).toBeGreaterThan(0)
    }
  })
})

function kindOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return null
  return String(value.kind)
}
