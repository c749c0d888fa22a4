// A manifest as it lies in its file: one run of bytes and where each entry begins in it. Entries are made when they are asked for.

import { digestBytes } from '../../kernel/crypto-ports.ts'
import { manifestEntryCodec, type ManifestEntries, type ManifestEntry } from '../../kernel/manifest.ts'
import { WireError } from '../../wire/error.ts'
import { Reader } from '../../wire/reader.ts'
import { Writer } from '../../wire/writer.ts'
import { entriesPerStep } from './limits.ts'

/** Of an entry, behind its id: digest and size. */
const tailBytes = digestBytes + 4

export class PackedManifest implements ManifestEntries {
  readonly bytes: Uint8Array
  /** Where each entry begins, and at last where the last one ends. */
  readonly #starts: Uint32Array

  constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.bytes = bytes
    this.#starts = starts
  }

  get length(): number {
    return this.#starts.length - 1
  }

  at(index: number): ManifestEntry | undefined {
    const start = this.#starts[index]
    const end = this.#starts[index + 1]
    if (start === undefined || end === undefined) return undefined
    return manifestEntryCodec.read(new Reader(this.bytes.subarray(start, end)))
  }

  /** Where the digest of an entry stands in `bytes`. */
  digestAt(index: number): number {
    return this.#starts[index + 1]! - tailBytes
  }

  slice(start: number, end: number): ManifestEntry[] {
    const entries: ManifestEntry[] = []
    for (let index = start; index < Math.min(end, this.length); index++) entries.push(this.at(index)!)
    return entries
  }

  *[Symbol.iterator](): Generator<ManifestEntry> {
    for (let index = 0; index < this.length; index++) yield this.at(index)!
  }
}

/** Throws a WireError on entries that break a limit. */
export function packManifest(entries: ManifestEntries): PackedManifest {
  if (entries instanceof PackedManifest) return entries
  const writer = new Writer(entries.length * 64)
  const starts = new Uint32Array(entries.length + 1)
  let index = 0
  for (const entry of entries) {
    manifestEntryCodec.write(writer, entry)
    starts[++index] = writer.length
  }
  return new PackedManifest(writer.finish(), starts)
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
