// Manifests that come as entries, or as the bytes of a file.

import { manifestEntryCodec, type ManifestEntries } from '../../kernel/manifest.ts'
import { ManifestPacker, PackedManifest } from '../../kernel/packed-manifest.ts'
import { WireError } from '../../wire/error.ts'
import { Reader } from '../../wire/reader.ts'
import { entriesPerStep } from './limits.ts'

/** Throws a WireError on entries that break a limit. */
export function packManifest(entries: ManifestEntries): PackedManifest {
  if (entries instanceof PackedManifest) return entries
  const packer = new ManifestPacker(entries.length)
  for (const entry of entries) packer.add(entry)
  return packer.finish()
}

/** Null on bytes that are not exactly so many entries. */
export function* unpackManifest(bytes: Uint8Array, count: number): Generator<undefined, PackedManifest | null> {
  const starts = new Uint32Array(count + 1)
  const reader = new Reader(bytes)
  try {
    for (let index = 1; index <= count; index++) {
      manifestEntryCodec.read(reader)
      starts[index] = reader.offset
      if (index % entriesPerStep === 0) yield
    }
    reader.end()
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
  return new PackedManifest(bytes, starts)
}
