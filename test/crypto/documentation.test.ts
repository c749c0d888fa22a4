// Goal: the page that other implementations are written from says what the code does.
// Method: its table of domains against the tables in the source, its constants against the decisions of the code.

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { isStrictEncoding } from '../../src/crypto/portable/ed25519-prechecks.ts'
import { hashingDomains, hashingPrefixBytes, signingDomains, signingPrefixBytes } from '../../src/kernel/domains.ts'
import { fromHex } from '../conformance/ed25519-model.ts'

const page = readFileSync(new URL('../../docs/wire-format-signatures.md', import.meta.url), 'utf8')

it('lists every domain with its tag, and no other', () => {
  const listed = [...page.matchAll(/\| (\d+) \| `([a-z-]+)`/g)].map(([, tag, name]) => [name, Number(tag)])
  const defined = [...Object.entries(signingDomains), ...Object.entries(hashingDomains)]
  expect(new Map(listed as [string, number][])).toEqual(new Map<string, number>(defined))
  expect(listed.length).toBe(defined.length)
})

it('states the prefixes', () => {
  expect(page).toContain(`a prefix of ${signingPrefixBytes} bytes`)
  expect(hashingPrefixBytes).toBe('quorate/1'.length + 1)
})

it('names coordinates that the code refuses', () => {
  const named = [...page.matchAll(/`([0-9a-f]{64})`/g)].map(([, hex]) => fromHex(hex!))
  expect(named.length).toBe(2)
  for (const bytes of named) expect(isStrictEncoding(bytes)).toBe(false)
})
