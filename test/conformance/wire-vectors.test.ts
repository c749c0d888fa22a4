// The format of everything that is sent, signed or stored does not change by accident.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../src/wire/codec.ts'
import { readSources } from '../architecture/sources.ts'
import { makeVectors, spoil, type WireVector } from './make-wire-vectors.ts'
import { registry } from './registry.ts'

const text = readFileSync(new URL('wire-vectors.json', import.meta.url), 'utf8')
const vectors = JSON.parse(text) as WireVector[]
const byName = registry.map((one) => [one.name, one] as const)

function vectorOf(name: string): WireVector & { bytes: Uint8Array } {
  const vector = vectors.find((one) => one.name === name)!
  return { ...vector, bytes: Uint8Array.from(Buffer.from(vector.hex, 'hex')) }
}

describe('the wire vectors', () => {
  it('are those that were agreed on', () => {
    // A change of this line is a change of the format: networks that exist would not understand each other.
    expect(createHash('sha256').update(text).digest('hex')).toBe(
      '5661e4ad3786efff3fc65373d82b0838f9fa1a60d7173a2d605cd197d623b360',
    )
  })

  it('are what the codecs write today', () => {
    expect(makeVectors()).toBe(text)
  })

  it('have names of their own', () => {
    expect(new Set(vectors.map((vector) => vector.name)).size).toBe(vectors.length)
  })

  it.each(byName)('%s: reads back, and nothing shorter or longer does', (name, { codec, value }) => {
    const { bytes } = vectorOf(name)
    expect(decode(codec, bytes)).toEqual({ ok: true, value })
    for (let length = 0; length < bytes.length; length++) {
      expect(decode(codec, bytes.subarray(0, length)).ok, `cut to ${length} bytes`).toBe(false)
    }
    const longer = Uint8Array.from([...bytes, 0])
    expect(decode(codec, longer)).toMatchObject({ ok: false, error: { code: 'ERR_WIRE_TRAILING' } })
    expect(encode(codec, value)).toEqual(bytes)
  })

  it.each(byName)('%s: is refused for the reason that was agreed on', (name, { codec }) => {
    const { bytes, malformed } = vectorOf(name)
    expect(malformed.length).toBeGreaterThanOrEqual(3)
    for (const change of malformed) {
      expect(decode(codec, spoil(bytes, change)), JSON.stringify(change)).toMatchObject({
        ok: false,
        error: { code: change.code },
      })
    }
  })
})

describe('the registry', () => {
  it('holds every codec that the sources export', () => {
    const exported = readSources()
      .filter(({ path }) => !path.startsWith('wire/'))
      .flatMap(({ text: source }) => [...source.matchAll(/^export const (\w+): Codec</gm)].map((match) => match[1]!))
    expect(exported.length).toBeGreaterThan(20)
    const held = new Set(registry.map(({ name }) => name.split(' ')[0]!))
    expect(exported.filter((name) => !held.has(name))).toEqual([])
  })

  it('holds every variant of a union, and every name of a codec of names', () => {
    // A first byte that is no tag is refused as one. Codecs that refuse none of them so are not unions.
    const missing = byName.flatMap(([name, { codec }]) => {
      const tags = Array.from({ length: 256 }, (_, tag) => tag).filter((tag) => {
        const decoded = decode(codec, Uint8Array.of(tag))
        return decoded.ok || decoded.error.code !== 'ERR_WIRE_TAG'
      })
      if (tags.length > 200 || name.startsWith('signedCodec')) return []
      const seen = new Set(registry.filter((one) => one.codec === codec).map((one) => encode(codec, one.value)[0]!))
      return tags.filter((tag) => !seen.has(tag)).map((tag) => `${name}: ${tag}`)
    })
    expect(missing).toEqual([])
  })
})
