/**
 * A Merkle tree over digests that exist already, sixteen children to a node: a block of a thousand results costs 68 hashes beside its
 * leaves and not 999, and a proof takes 45 digests and not 10. The root binds the number of leaves and each node its level, so
 * that neither a node can pass for a leaf nor a shorter list for a longer one.
 */

import { digestBytes, type Digest, type Hasher } from '../kernel/crypto-ports.ts'
import { hashingBytes, type HashingDomain } from '../kernel/domains.ts'
import { fixedBytes, list, struct, u32, type Codec } from '../wire/codec.ts'
import { Writer } from '../wire/writer.ts'
import { equalBytes } from '../wire/equal-bytes.ts'

export const merkleArity = 16
/** Deep enough for 2^32 leaves. */
const levelsMax = 8
const siblingsMax = levelsMax * (merkleArity - 1)
/** The level that marks the root, above all that nodes can have. */
const rootLevel = 0xff

/** Shows that one digest is the leaf at `index` among `count`. */
export interface MerkleProof {
  index: number
  count: number
  /** Level by level from the leaves, each group's digests from left to right without the one that is proven. */
  siblings: Digest[]
}

export const merkleProofCodec: Codec<MerkleProof> = struct<MerkleProof>({
  index: u32,
  count: u32,
  siblings: list(fixedBytes(digestBytes), siblingsMax),
})

export class MerkleTree {
  readonly #hasher: Hasher
  readonly #prefix: Uint8Array
  readonly #scratch = new Writer(1024)

  constructor(hasher: Hasher, domain: HashingDomain) {
    this.#hasher = hasher
    this.#prefix = hashingBytes(domain, new Uint8Array(0))
  }

  root(leaves: readonly Digest[]): Digest {
    let digests = leaves
    for (let level = 0; digests.length > 1; level++) digests = this.#level(digests, level)
    return this.#root(leaves.length, digests[0])
  }

  /** The same root, for leaves that come one by one. */
  growing(): GrowingTree {
    return new GrowingTree(
      (children, level) => this.#node(children, 0, children.length, level),
      (count, top) => this.#root(count, top),
    )
  }

  /** Throws a RangeError when there is no such leaf. */
  proof(leaves: readonly Digest[], index: number): MerkleProof {
    if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
      throw new RangeError(`no leaf ${index} among ${leaves.length}`)
    }
    const siblings: Digest[] = []
    let digests = leaves
    let position = index
    for (let level = 0; digests.length > 1; level++) {
      const first = position - (position % merkleArity)
      const last = Math.min(first + merkleArity, digests.length)
      for (let at = first; at < last; at++) {
        if (at !== position) siblings.push(digests[at]!)
      }
      digests = this.#level(digests, level)
      position = (position - (position % merkleArity)) / merkleArity
    }
    return { index, count: leaves.length, siblings }
  }

  /** Total on any proof. */
  verify(root: Digest, leaf: Digest, proof: MerkleProof): boolean {
    const { index, count, siblings } = proof
    if (!isU32(index) || !isU32(count) || index >= count || siblings.length > siblingsMax) return false
    if (leaf.length !== digestBytes || siblings.some((sibling) => sibling.length !== digestBytes)) return false
    let digest = leaf
    let used = 0
    let position = index
    let width = count
    for (let level = 0; width > 1; level++) {
      const offset = position % merkleArity
      const children = Math.min(merkleArity, width - (position - offset))
      if (used + children - 1 > siblings.length) return false
      const group: Digest[] = []
      for (let at = 0; at < children; at++) group.push(at === offset ? digest : siblings[used++]!)
      digest = this.#node(group, 0, children, level)
      position = (position - offset) / merkleArity
      width = Math.ceil(width / merkleArity)
    }
    return used === siblings.length && equalBytes(root, this.#root(count, digest))
  }

  #level(digests: readonly Digest[], level: number): Digest[] {
    const nodes: Digest[] = []
    for (let first = 0; first < digests.length; first += merkleArity) {
      nodes.push(this.#node(digests, first, Math.min(first + merkleArity, digests.length), level))
    }
    return nodes
  }

  #node(digests: readonly Digest[], first: number, end: number, level: number): Digest {
    const scratch = this.#begin(level)
    for (let at = first; at < end; at++) scratch.raw(digests[at]!)
    return this.#hasher.digest(scratch.view())
  }

  #root(count: number, top: Digest | undefined): Digest {
    const scratch = this.#begin(rootLevel)
    scratch.u32(count)
    if (top !== undefined) scratch.raw(top)
    return this.#hasher.digest(scratch.view())
  }

  #begin(level: number): Writer {
    this.#scratch.reset()
    this.#scratch.raw(this.#prefix)
    this.#scratch.u8(level)
    return this.#scratch
  }
}

/** A tree of which as much is hashed as its leaves so far allow: what each leaf costs is bounded, the last one included. */
export class GrowingTree {
  readonly #node: (children: readonly Digest[], level: number) => Digest
  readonly #root: (count: number, top: Digest | undefined) => Digest
  /** Of each level, what is not yet in a node: fewer than `merkleArity`. */
  readonly #open: Digest[][] = []
  #count = 0

  constructor(
    node: (children: readonly Digest[], level: number) => Digest,
    root: (count: number, top: Digest | undefined) => Digest,
  ) {
    this.#node = node
    this.#root = root
  }

  add(leaf: Digest): void {
    this.#count++
    let digest = leaf
    for (let level = 0; ; level++) {
      const open = (this.#open[level] ??= [])
      open.push(digest)
      if (open.length < merkleArity) return
      digest = this.#node(open, level)
      open.length = 0
    }
  }

  /** Of all leaves so far. */
  root(): Digest {
    let above: Digest[] = []
    for (const [level, open] of this.#open.entries()) {
      const digests = [...open, ...above]
      const isTop = level === this.#open.length - 1 && digests.length === 1
      if (isTop) return this.#root(this.#count, digests[0])
      above = digests.length === 0 ? [] : [this.#node(digests, level)]
    }
    return this.#root(this.#count, above[0])
  }
}

function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff
}
