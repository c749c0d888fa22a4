/**
 * A manifest that one server hands out page by page. Its digests, their order and their number are what the certified root says, or it
 * is a lie; parts, ids and sizes the root does not bind, so they are believed until a chunk shows what it is.
 *
 * Held packed: a lie takes as much memory as it has bytes, and four more for each entry that it announces.
 */

import type { Digest, Hasher } from '../../kernel/crypto-ports.ts'
import { manifestBytesMax, type ManifestEntry } from '../../kernel/manifest.ts'
import { ManifestPacker, type PackedManifest } from '../../kernel/packed-manifest.ts'
import { MerkleTree, type GrowingTree } from '../../execution/merkle.ts'
import { stateParts } from '../../execution/state-parts.ts'
import { pageBytesMax, pageEntriesMax } from './limits.ts'
import { entryBytes, entryBytesMax } from './transfer-messages.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

export type Intake = { kind: 'more' } | { kind: 'whole'; entries: PackedManifest } | { kind: 'lie'; reason: string }

export class ManifestIntake {
  readonly #stateRoot: Digest
  readonly #tree: GrowingTree
  #taken: { total: number; packer: ManifestPacker } | null = null
  #lastPart = 0

  constructor(hasher: Hasher, stateRoot: Digest) {
    this.#stateRoot = stateRoot
    this.#tree = new MerkleTree(hasher, 'state-node').growing()
  }

  /** Null before the first page. */
  get total(): number | null {
    return this.#taken?.total ?? null
  }

  /** Entries so far. */
  get length(): number {
    return this.#taken?.packer.length ?? 0
  }

  /** Memory that they take. */
  get heldBytes(): number {
    return this.#taken?.packer.heldBytes ?? 0
  }

  /** After anything but `more` it is not to be used again. */
  add(total: number, page: readonly ManifestEntry[]): Intake {
    this.#taken ??= { total, packer: new ManifestPacker(total) }
    const { packer } = this.#taken
    if (total !== this.#taken.total) return lie('a manifest of another length')
    const left = total - packer.length
    if (page.length > left) return lie('more entries than there are')
    const size = page.reduce((sum, entry) => sum + entryBytes(entry), 0)
    // A page that is cut short without need keeps us busy for ever.
    const full = page.length === Math.min(left, pageEntriesMax) || size > pageBytesMax - entryBytesMax
    if (!full) return lie('a page that is not full')
    if (packer.bytes + size > manifestBytesMax) return lie('a manifest that is too large')
    for (const entry of page) {
      if (entry.part >= stateParts.length) return lie('a part that there is not')
      if (entry.part < this.#lastPart) return lie('parts in another order')
      this.#lastPart = entry.part
      packer.add(entry)
      this.#tree.add(entry.digest)
    }
    if (packer.length < total) return { kind: 'more' }
    if (!equalBytes(this.#tree.root(), this.#stateRoot)) return lie('a manifest with another root')
    return { kind: 'whole', entries: packer.finish() }
  }
}

function lie(reason: string): Intake {
  return { kind: 'lie', reason }
}
