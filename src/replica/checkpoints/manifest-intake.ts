/**
 * A manifest that one server hands out page by page. Its digests, their order and their number are what the certified root says, or it
 * is a lie; parts, ids and sizes the root does not bind, so they are believed until a chunk shows what it is.
 */

import type { Digest, Hasher } from '../../kernel/crypto-ports.ts'
import type { ManifestEntry } from '../../kernel/manifest.ts'
import { MerkleTree, type GrowingTree } from '../../execution/merkle.ts'
import { stateParts } from '../../execution/state-parts.ts'
import { manifestBytesMax, pageBytesMax, pageEntriesMax } from './limits.ts'
import { entryBytes, entryBytesMax } from './transfer-messages.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

export type Intake = { kind: 'more' } | { kind: 'whole' } | { kind: 'lie'; reason: string }

export class ManifestIntake {
  readonly entries: ManifestEntry[] = []
  readonly #stateRoot: Digest
  readonly #tree: GrowingTree
  #total: number | null = null
  #bytes = 0

  constructor(hasher: Hasher, stateRoot: Digest) {
    this.#stateRoot = stateRoot
    this.#tree = new MerkleTree(hasher, 'state-node').growing()
  }

  /** Null before the first page. */
  get total(): number | null {
    return this.#total
  }

  add(total: number, page: readonly ManifestEntry[]): Intake {
    this.#total ??= total
    if (total !== this.#total) return lie('a manifest of another length')
    const left = total - this.entries.length
    if (page.length > left) return lie('more entries than there are')
    const size = page.reduce((sum, entry) => sum + entryBytes(entry), 0)
    // A page that is cut short without need keeps us busy for ever.
    const full = page.length === Math.min(left, pageEntriesMax) || size > pageBytesMax - entryBytesMax
    if (!full) return lie('a page that is not full')
    this.#bytes += size
    if (this.#bytes > manifestBytesMax) return lie('a manifest that is too large')
    for (const entry of page) {
      if (entry.part >= stateParts.length) return lie('a part that there is not')
      if (entry.part < (this.entries.at(-1)?.part ?? 0)) return lie('parts in another order')
      this.entries.push(entry)
      this.#tree.add(entry.digest)
    }
    if (this.entries.length < total) return { kind: 'more' }
    return equalBytes(this.#tree.root(), this.#stateRoot) ? { kind: 'whole' } : lie('a manifest with another root')
  }
}

function lie(reason: string): Intake {
  return { kind: 'lie', reason }
}
