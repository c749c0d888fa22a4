// A manifest as it lies in its file: one run of bytes and where each entry begins in it. Entries are made when they are asked for.

import { Reader } from '../wire/reader.ts'
import { Writer } from '../wire/writer.ts'
import { digestBytes } from './crypto-ports.ts'
import { manifestEntryCodec, type ManifestEntries, type ManifestEntry } from './manifest.ts'

/** Of an entry, behind its id: digest and size. */
const tailBytes = digestBytes + 4
/** Gathered in pieces of this size, an entry more or less: a buffer that doubles would take three times what it holds. */
const pieceBytes = 256 * 1024
/** Put together in one step. */
const piecesPerStep = 4

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

/** Packs a manifest whose entries come one by one. Takes their bytes, and four more for each entry that is announced. */
export class ManifestPacker {
  readonly #starts: Uint32Array
  readonly #piece = new Writer()
  readonly #pieces: Uint8Array[] = []
  #length = 0
  #bytes = 0

  constructor(count: number) {
    this.#starts = new Uint32Array(count + 1)
  }

  /** Entries so far. */
  get length(): number {
    return this.#length
  }

  /** Of them, encoded. */
  get bytes(): number {
    return this.#bytes
  }

  /** Memory that they take. When it is whole, as much once more until all of it is in one piece. */
  get heldBytes(): number {
    return this.#bytes + this.#starts.byteLength
  }

  /** Copies what it is given. Throws a WireError on an entry that breaks a limit. */
  add(entry: ManifestEntry): void {
    const before = this.#piece.length
    manifestEntryCodec.write(this.#piece, entry)
    this.#bytes += this.#piece.length - before
    this.#starts[++this.#length] = this.#bytes
    if (this.#piece.length >= pieceBytes) this.#endPiece()
  }

  /** All that were announced. It is not to be used afterwards. */
  finish(): PackedManifest {
    const finishing = this.finishInSteps()
    for (;;) {
      const step = finishing.next()
      if (step.done === true) return step.value
    }
  }

  *finishInSteps(): Generator<undefined, PackedManifest> {
    this.#endPiece()
    const bytes = new Uint8Array(this.#bytes)
    let at = 0
    for (let count = 1; this.#pieces.length > 0; count++) {
      const piece = this.#pieces.shift()!
      bytes.set(piece, at)
      at += piece.length
      if (count % piecesPerStep === 0) yield
    }
    return new PackedManifest(bytes, this.#starts)
  }

  #endPiece(): void {
    this.#pieces.push(this.#piece.finish())
    this.#piece.reset()
  }
}
