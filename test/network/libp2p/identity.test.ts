// Goal: a key that signs for a link and for envelopes never signs anything that could be taken for the other.

import { expect, it } from 'vitest'
import { signingDomains } from '../../../src/kernel/domains.ts'

it('no tag of ours begins like what Noise has an identity sign', () => {
  const first = 'noise-libp2p-static-key:'.charCodeAt(0)
  expect(first).toBe(0x6e)
  expect(Object.values(signingDomains)).not.toContain(first)
})
