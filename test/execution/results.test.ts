import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  resultLeafCodec,
  resultProof,
  ResultsHasher,
  verifyResultProof,
  type ResultLeaf,
} from '../../src/execution/results.ts'
import { merkleArity, merkleProofCodec, MerkleTree } from '../../src/execution/merkle.ts'
import { executed } from '../../src/execution/outcomes.ts'
import { outcomeCodec } from '../../src/kernel/outcome.ts'
import { hashingBytes } from '../../src/kernel/domains.ts'
import { decode, encode } from '../../src/wire/codec.ts'
import { Writer } from '../../src/wire/writer.ts'
import {
  clientKey,
  createExecutor,
  hasher,
  hex,
  openSession,
  operationReplies,
  operations,
  run,
  text,
} from './fixtures.ts'

const results = new ResultsHasher(hasher)
const tree = new MerkleTree(hasher, 'results-node')
const digests = (count: number) => Array.from({ length: count }, (_, index) => hasher.digest(text(`leaf ${index}`)))

describe('a proof of one result', () => {
  // R8: built by the client from what it asked and what it was told, against the header's root.
  it('binds client, session, number, operation, outcome, height and index', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const contents = Array.from({ length: 20 }, (_, index) => `operation ${index}`)
    const block = run(executor, operations(1, session, 1, contents))
    const { resultsRoot } = block.header
    const reply = operationReplies(block)[17]!
    const leaf: ResultLeaf = {
      client: clientKey(1),
      session,
      number: reply.number,
      count: 1,
      digest: results.operationDigest(text('operation 17')),
      height: reply.height,
      index: reply.index,
      outcome: reply.outcome,
    }
    const proof = resultProof(hasher, block.leaves, reply.index)
    expect(verifyResultProof(hasher, resultsRoot, leaf, proof)).toBe(true)
    const lies: Partial<ResultLeaf>[] = [
      { client: clientKey(2) },
      { session: { height: 1, index: 1 } },
      { number: 17 },
      { count: 2 },
      { digest: results.operationDigest(text('operation 16')) },
      { height: 3 },
      { index: 16 },
      { outcome: operationReplies(block)[16]!.outcome },
    ]
    for (const lie of lies) expect(verifyResultProof(hasher, resultsRoot, { ...leaf, ...lie }, proof)).toBe(false)
    expect(verifyResultProof(hasher, block.header.blockDigest, leaf, proof)).toBe(false)
  })

  it('exists for each leaf, and for no other place', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.nat(), fc.nat(), (count, pick, other) => {
        const leaves = digests(count)
        const [index, wrong] = [pick % count, other % count]
        const root = tree.root(leaves)
        const proof = tree.proof(leaves, index)
        expect(tree.verify(root, leaves[index]!, proof)).toBe(true)
        expect(tree.verify(root, leaves[wrong]!, proof)).toBe(wrong === index)
        expect(tree.verify(root, leaves[index]!, { ...proof, index: wrong })).toBe(wrong === index)
        expect(tree.verify(root, leaves[index]!, { ...proof, count: count + 1 })).toBe(false)
        expect(decode(merkleProofCodec, encode(merkleProofCodec, proof))).toEqual({ ok: true, value: proof })
      }),
      { numRuns: 100 },
    )
  })

  it('is refused, whatever it contains', () => {
    const leaves = digests(40)
    const root = tree.root(leaves)
    const proof = tree.proof(leaves, 20)
    const bad = [
      { ...proof, siblings: proof.siblings.slice(1) },
      { ...proof, siblings: [...proof.siblings, leaves[0]!] },
      { ...proof, siblings: proof.siblings.map(() => new Uint8Array(3)) },
      { ...proof, index: -1 },
      { ...proof, index: Number.NaN },
      { ...proof, index: 40 },
      { ...proof, count: 0 },
      { ...proof, count: 2 ** 40 },
      { ...proof, siblings: Array.from({ length: 1000 }, () => leaves[0]!) },
    ]
    for (const each of bad) expect(tree.verify(root, leaves[20]!, each)).toBe(false)
    expect(() => tree.proof(leaves, 40)).toThrow(/no leaf 40/)
  })
})

function node(level: number, children: readonly Uint8Array[]): Uint8Array {
  const body = new Writer()
  body.u8(level)
  for (const child of children) body.raw(child)
  return hasher.digest(hashingBytes('results-node', body.finish()))
}

describe('a root', () => {
  it('changes with each leaf, with their order and their number', () => {
    const leaves = digests(3 * merkleArity)
    const roots = new Set([hex(tree.root(leaves)), hex(tree.root(leaves.toReversed())), hex(tree.root([]))])
    for (let count = 1; count < leaves.length; count++) roots.add(hex(tree.root(leaves.slice(0, count))))
    for (let index = 0; index < leaves.length; index++)
      roots.add(hex(tree.root(leaves.with(index, leaves.at(index - 1)!))))
    expect(roots.size).toBe(3 + leaves.length - 1 + leaves.length)
  })

  it('is made as merkle.ts says: each node with its level, the root with the number of leaves', () => {
    const leaves = digests(merkleArity + 2)
    const top = node(1, [node(0, leaves.slice(0, merkleArity)), node(0, leaves.slice(merkleArity))])
    const body = new Writer()
    body.u8(0xff)
    body.u32(leaves.length)
    body.raw(top)
    expect(hex(tree.root(leaves))).toBe(hex(hasher.digest(hashingBytes('results-node', body.finish()))))
  })

  it('of leaves that are not in their places proves none of them', () => {
    const made: ResultLeaf[] = [
      { ...someLeaf, index: 0 },
      { ...someLeaf, index: 1 },
    ]
    const swapped = made.toReversed().map((leaf) => results.leafDigest(leaf))
    const proof = resultProof(hasher, swapped, 0)
    expect(verifyResultProof(hasher, tree.root(swapped), made[1]!, proof)).toBe(false)
    const straight = made.map((leaf) => results.leafDigest(leaf))
    expect(verifyResultProof(hasher, tree.root(straight), made[1]!, resultProof(hasher, straight, 1))).toBe(true)
  })
})

const someLeaf: ResultLeaf = {
  client: clientKey(3),
  session: { height: 7, index: 8 },
  number: 9,
  count: 1,
  digest: results.operationDigest(text('x')),
  height: 10,
  index: 11,
  outcome: executed(text('y')),
}

it('the hashes of leaves and operations are those of the table of domains', () => {
  expect(hex(results.leafDigest(someLeaf))).toBe(
    hex(hasher.digest(hashingBytes('results-leaf', encode(resultLeafCodec, someLeaf)))),
  )
  expect(hex(someLeaf.digest)).toBe(hex(hasher.digest(hashingBytes('operation', text('x')))))
})

it('the short way of writing an executed outcome writes what the codec writes', () => {
  for (const length of [0, 1, 255, 256, 70_000]) {
    const result = new Uint8Array(length).fill(5)
    expect(executed(result)).toEqual(encode(outcomeCodec, { kind: 'executed', result }))
  }
})
