/**
 * A results leaf binds what was asked to what came of it: (client, session, numbers, digest of what was asked, outcome, height, index).
 * Without the digest a liar could prove another operation's result, without the number an older one.
 *
 * Its bytes are hashed once. Most leaves stand for one operation; a refusal that concerns a whole envelope, and a cancel, have one
 * leaf for all their numbers, whose digest is the envelope's.
 */

import { digestBytes, publicKeyBytes, type Digest, type Hasher, type PublicKey } from '../kernel/crypto-ports.ts'
import { hashingBytes } from '../kernel/domains.ts'
import { sessionIdCodec, type SessionId } from '../kernel/envelope.ts'
import type { Height } from '../kernel/ids.ts'
import { outcomeBytesMax } from '../kernel/client-messages.ts'
import { bytes, fixedBytes, struct, u32, u53, type Codec } from '../wire/codec.ts'
import { Writer } from '../wire/writer.ts'
import { MerkleTree, type MerkleProof } from './merkle.ts'

export interface ResultLeaf {
  client: PublicKey
  session: SessionId
  /** The first number it stands for; 0 where there is none, as in an opening. */
  number: number
  /** How many numbers from there on. */
  count: number
  /** Of the operation; of the envelope where the leaf stands for all of it. */
  digest: Digest
  height: Height
  /** The leaf's place in its block. */
  index: number
  /** Encoded (kernel/outcome.ts). */
  outcome: Uint8Array
}

const leafFields: Codec<ResultLeaf> = struct<ResultLeaf>({
  client: fixedBytes(publicKeyBytes),
  session: sessionIdCodec,
  number: u53,
  count: u32,
  digest: fixedBytes(digestBytes),
  height: u53,
  index: u32,
  outcome: bytes(outcomeBytesMax),
})

/** Written by hand, for that is done once an operation: a third of what it takes field by field. */
export const resultLeafCodec: Codec<ResultLeaf> = { ...leafFields, write: writeLeaf }

function writeLeaf(writer: Writer, leaf: ResultLeaf): void {
  writer.fixed(leaf.client, publicKeyBytes)
  writer.u53(leaf.session.height)
  writer.u53(leaf.session.index)
  writer.u53(leaf.number)
  writer.u32(leaf.count)
  writer.fixed(leaf.digest, digestBytes)
  writer.u53(leaf.height)
  writer.u32(leaf.index)
  writer.bytes(leaf.outcome, outcomeBytesMax)
}

const nothing = new Uint8Array(0)

/** Hashes operations and leaves without a copy of its own for each. */
export class ResultsHasher {
  readonly #hasher: Hasher
  readonly #tree: MerkleTree
  readonly #leafPrefix = hashingBytes('results-leaf', nothing)
  readonly #operationPrefix = hashingBytes('operation', nothing)
  readonly #scratch = new Writer(1024)

  constructor(hasher: Hasher) {
    this.#hasher = hasher
    this.#tree = new MerkleTree(hasher, 'results-node')
  }

  operationDigest(operation: Uint8Array): Digest {
    this.#scratch.reset()
    this.#scratch.raw(this.#operationPrefix)
    this.#scratch.raw(operation)
    return this.#hasher.digest(this.#scratch.view())
  }

  envelopeDigest(envelope: Uint8Array): Digest {
    return this.#hasher.digest(hashingBytes('envelope-digest', envelope))
  }

  leafDigest(leaf: ResultLeaf): Digest {
    this.#scratch.reset()
    this.#scratch.raw(this.#leafPrefix)
    resultLeafCodec.write(this.#scratch, leaf)
    return this.#hasher.digest(this.#scratch.view())
  }

  root(leaves: readonly Digest[]): Digest {
    return this.#tree.root(leaves)
  }

  /** The proof of one leaf of a block, from the digests of all its leaves. Throws a RangeError when there is no such leaf. */
  proof(leaves: readonly Digest[], index: number): MerkleProof {
    return this.#tree.proof(leaves, index)
  }

  /** Total: is this leaf, as it stands, among the results of the block whose executed header has this root? */
  verify(resultsRoot: Digest, leaf: ResultLeaf, proof: MerkleProof): boolean {
    return leaf.index === proof.index && this.#tree.verify(resultsRoot, this.leafDigest(leaf), proof)
  }
}

export function resultProof(hasher: Hasher, leaves: readonly Digest[], index: number): MerkleProof {
  return new ResultsHasher(hasher).proof(leaves, index)
}

export function verifyResultProof(hasher: Hasher, resultsRoot: Digest, leaf: ResultLeaf, proof: MerkleProof): boolean {
  return new ResultsHasher(hasher).verify(resultsRoot, leaf, proof)
}
