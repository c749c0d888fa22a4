// The bytes of a pack's record, and the names of files, do not change by accident.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  checkpointFile,
  manifestFile,
  packFile,
  packRecordBytes,
  readPackRecord,
  snapshotFileOf,
  writePackRecord,
} from '../../../src/storage/snapshots/format.ts'
import { Writer } from '../../../src/wire/writer.ts'
import { crc32 } from './snapshot-bench.ts'

const place = { pack: 7, offset: 100_000 }
const record = {
  kind: 'chunk',
  bodyBytes: 65_536,
  synced: 99_000,
  digest: new Uint8Array(32).fill(0xd1),
  bodyCrc: 9,
} as const

function bytesOf(): Uint8Array {
  const writer = new Writer()
  writePackRecord(writer, place, record, crc32)
  return writer.finish()
}

it('writes the record that was agreed on', () => {
  expect(Buffer.from(bytesOf()).toString('hex')).toBe(`7143484b00000100b8820100${'d1'.repeat(32)}09000000784ec600`)
  expect(bytesOf().length).toBe(packRecordBytes)
})

it('reads it back in its place, and in no other', () => {
  expect(readPackRecord(bytesOf(), 0, place, crc32)).toEqual(record)
  expect(readPackRecord(bytesOf(), 0, { ...place, pack: 8 }, crc32)).toBeNull()
  expect(readPackRecord(bytesOf(), 0, { ...place, offset: 100_001 }, crc32)).toBeNull()
  expect(readPackRecord(bytesOf().subarray(1), 0, place, crc32)).toBeNull()
})

it('is total on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(100), (bytes, at) => {
      expect(readPackRecord(bytes, at, place, crc32)).toBeNull()
    }),
  )
})

it('knows its files by their names, and no others', () => {
  expect([packFile(7), manifestFile(8), checkpointFile(9)].map(snapshotFileOf)).toEqual([
    { kind: 'pack', pack: 7 },
    { kind: 'manifest', height: 8 },
    { kind: 'checkpoint', height: 9 },
  ])
  for (const name of ['pack-7', 'pack-00000000070', 'manifest-', 'lock', 'xpack-0000000007'])
    expect(snapshotFileOf(name)).toBeNull()
})
