// The format of everything that is sent, signed or stored does not change by accident.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../src/wire/codec.ts'
import { makeVectors } from './make-wire-vectors.ts'
import { registry } from './registry.ts'

const text = readFileSync(new URL('wire-vectors.json', import.meta.url), 'utf8')
const vectors = JSON.parse(text) as { name: string; hex: string }[]

describe('the wire vectors', () => {
  it('are those that were agreed on', () => {
    // A change of this line is a change of the format: networks that exist would not understand each other.
    expect(createHash('sha256').update(text).digest('hex')).toBe(
      '0504c046cfb65f62955ab3952ffef96dd564823095ca2b84f75f812bcefc9674',
    )
  })

  it('are what the codecs write today', () => {
    expect(makeVectors()).toBe(text)
  })

  it.each(registry.map((one) => [one.name, one] as const))(
    '%s: reads back, and nothing shorter or longer does',
    (name, { codec, value }) => {
      const bytes = Uint8Array.from(Buffer.from(vectors.find((vector) => vector.name === name)!.hex, 'hex'))
      expect(decode(codec, bytes)).toEqual({ ok: true, value })
      for (let length = 0; length < bytes.length; length++) {
        expect(decode(codec, bytes.subarray(0, length)).ok, `cut to ${length} bytes`).toBe(false)
      }
      const longer = Uint8Array.from([...bytes, 0])
      expect(decode(codec, longer)).toMatchObject({ ok: false, error: { code: 'ERR_WIRE_TRAILING' } })
      expect(encode(codec, value)).toEqual(bytes)
    },
  )
})
