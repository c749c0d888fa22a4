// What the pool knows of blocks under way.

import type { HotstuffState } from './state.ts'
import type { ChainNode } from './tree.ts'

/** Its requests are in a block: neither this replica, when it leads, nor whom it forwards to takes them meanwhile. */
export function hold({ ports }: Pick<HotstuffState, 'ports'>, node: ChainNode): void {
  if (node.held || node.isEmpty) return
  node.held = true
  ports.pool.proposed(node.proposal.payload)
}

/** Nothing that does not lead to the highest certificate is under way any more: its view is over. */
export function letGoOfOthers(state: HotstuffState): void {
  const { tree, high } = state
  const node = tree.get(high.node)
  const onWay = new Set(node === null ? [] : tree.descent(node, Infinity))
  letGo(
    state,
    [...tree.all()].filter((one) => !onWay.has(one)),
  )
}

/** They came to nothing: their requests wait again, but for those that another block under way has too. */
export function letGo({ ports, tree }: HotstuffState, nodes: readonly ChainNode[]): void {
  let isAnyBack = false
  for (const node of nodes) {
    if (!node.held || node.isEmpty) continue
    node.held = false
    isAnyBack = true
    ports.pool.putBack(node.proposal.payload)
  }
  if (!isAnyBack) return
  for (const node of tree.all()) if (node.held && !node.isEmpty) ports.pool.proposed(node.proposal.payload)
}
