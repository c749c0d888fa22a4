// The tree by itself: what stays when the root moves, and what that costs.

import { expect, it } from 'vitest'
import type { ChainedHeader } from '../../../src/kernel/proof.ts'
import { replicaId } from '../../../src/kernel/ids.ts'
import { Tree, type ChainNode, type Root } from '../../../src/protocols/hotstuff/tree.ts'
import { proposalOf } from './forging.ts'
import { Bench } from './bench.ts'

const proposal = proposalOf(new Bench(), 1, 1, 'a')
const digest = new Uint8Array(32)

function headerAt(height: number, view: number): ChainedHeader {
  return { block: { ...proposal.header, height }, view, parent: digest, absent: [], lately: [] }
}

function rootAt(key: string, height: number, view = height): Root {
  return { key, digest, header: headerAt(height, view) }
}

function nodeAt(key: string, parentKey: string, height: number, view = height): ChainNode {
  return {
    key,
    parentKey,
    digest,
    view,
    height,
    header: headerAt(height, view),
    leader: replicaId(1),
    proposal,
    sinceMs: 0,
    isEmpty: false,
    valid: null,
    persisted: null,
    held: false,
  }
}

function keysIn(tree: Tree): string[] {
  return [...tree.all()].map(({ key }) => key).sort()
}

it('keeps what descends from the root when that moves, and what may, and nothing else', () => {
  const tree = new Tree(rootAt('0', 0))
  const nodes = [
    nodeAt('1', '0', 1),
    nodeAt('1 fork', '0', 1, 2),
    nodeAt('2 fork', '1 fork', 2, 3),
    nodeAt('2', '1', 2, 4),
    nodeAt('3', '2', 3, 5),
    nodeAt('3 other', '2', 3, 6),
    nodeAt('5 in the air', '4', 5, 9),
    nodeAt('6 in the air', '5 in the air', 6, 10),
    nodeAt('3 in the air', '2 unknown', 3, 7),
    nodeAt('4 in the air', '3 in the air', 4, 8),
    nodeAt('9 of an old view', '8', 9, 4),
    nodeAt('10 of a later view', '9 of an old view', 10, 20),
  ]
  for (const node of nodes) tree.add(node, new Set())
  const orphans = tree.moveTo(rootAt('1', 1))
  expect(orphans.map(({ key }) => key).sort()).toEqual(['1 fork', '2 fork'])
  expect(keysIn(tree)).toHaveLength(9)
  tree.moveTo(rootAt('2', 2, 4))
  // What should lie right above the root, and names another parent, does not.
  expect(keysIn(tree)).toEqual(['3', '3 other', '5 in the air', '6 in the air'])
})

it('asks each node of a long chain that hangs in the air once, and not all those below each', () => {
  let asked = 0
  const tree = new Tree(rootAt('0', 0))
  const nodes = 500
  for (let height = 1001; height <= 1000 + nodes; height++) {
    const node = nodeAt(`${height}`, '', height)
    Object.defineProperty(node, 'parentKey', { get: () => (asked++, `${height - 1}`) })
    tree.add(node, new Set())
  }
  expect(tree.moveTo(rootAt('1', 1))).toEqual([])
  expect(asked).toBeLessThan(5 * nodes)
})
