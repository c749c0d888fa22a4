// A packed manifest is what was packed, its bytes are those of its entries one behind the other, and no step of making it is long.

import { expect, it } from 'vitest'
import { digestBytes } from '../../src/kernel/crypto-ports.ts'
import { manifestEntryCodec, type ManifestEntry } from '../../src/kernel/manifest.ts'
import { ManifestPacker } from '../../src/kernel/packed-manifest.ts'
import { encode } from '../../src/wire/codec.ts'

function entry(index: number, idBytes: number): ManifestEntry {
  return {
    part: 4,
    id: new Uint8Array(idBytes).fill(index),
    digest: new Uint8Array(digestBytes).fill(index),
    size: index,
  }
}

it('gives back what was packed', () => {
  for (const count of [0, 1, 3_000]) {
    const entries = Array.from({ length: count }, (_, index) => entry(index % 251, index % 300))
    const packer = new ManifestPacker(count)
    for (const one of entries) packer.add(one)
    expect([packer.length, packer.heldBytes]).toEqual([count, packer.bytes + 4 * (count + 1)])
    const packed = packer.finish()
    expect([...packed]).toEqual(entries)
    expect(packed.bytes).toEqual(Uint8Array.from(Buffer.concat(entries.map((one) => encode(manifestEntryCodec, one)))))
    for (const index of [0, count - 1].filter((one) => one >= 0 && one < count)) {
      const at = packed.digestAt(index)
      expect(packed.bytes.slice(at, at + digestBytes)).toEqual(entries[index]!.digest)
    }
    expect([packed.at(count), packed.slice(Math.max(0, count - 1), count + 5)]).toEqual([undefined, entries.slice(-1)])
  }
})

it('is put together a mebibyte at a time, an entry or two more', () => {
  const packer = new ManifestPacker(2_600)
  for (let index = 0; index < 2_600; index++) packer.add(entry(index, 2_000))
  const finishing = packer.finishInSteps()
  let steps = 1
  for (; finishing.next().done !== true; steps++);
  expect(steps).toBe(Math.ceil(packer.bytes / (1024 * 1024 + 4 * 2_041)))
})
