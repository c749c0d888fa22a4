import { expect, it } from 'vitest'
import { MerkleTree } from '../../src/execution/merkle.ts'
import { nodeHasher } from '../../src/crypto/node/sha256-hasher.ts'
import { hex } from './fixtures.ts'

it('a growing tree has at each size the root of the tree that was built at once', () => {
  const tree = new MerkleTree(nodeHasher, 'state-node')
  const growing = tree.growing()
  const leaves: Uint8Array[] = []
  expect(hex(growing.root())).toBe(hex(tree.root([])))
  for (let count = 1; count <= 4400; count++) {
    const leaf = nodeHasher.digest(Uint8Array.of(count, count >> 8))
    leaves.push(leaf)
    growing.add(leaf)
    // All small sizes, and those around powers of the arity.
    if (count < 600 || count % 256 < 3 || count % 256 > 254) expect(hex(growing.root())).toBe(hex(tree.root(leaves)))
  }
})
