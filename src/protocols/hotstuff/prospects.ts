// What keeps a chain that commits nothing from using up its last nodes. Three-chain needs four correct leaders in a row: as long as one of four replicas
// is dead, its nodes are certified and not committed, and when it came back there would be no room for those that commit them.

import type { ReplicaId, View } from '../../kernel/ids.ts'
import { leaderInTurn } from './leaders.ts'
import { runLength } from './rules.ts'
import type { HotstuffState } from './state.ts'
import { chainNodesMax, chainNodesReserved } from './tree.ts'

/** Is there a chain so long that it matters who has given a view up? Each such statement costs a check. */
export function looksAhead({ tree }: HotstuffState): boolean {
  return tree.size >= chainNodesMax - chainNodesReserved
}

/**
 * May this replica propose above so many nodes that are not decided? In the reserve only where the run goes on, or where all who lead until it would
 * be committed have given up the view before: those that are not there give nothing up. Else the view passes as one whose leader is silent.
 */
export function hasRoomFor(state: HotstuffState, pathNodes: number): boolean {
  if (pathNodes < chainNodesMax - chainNodesReserved) return true
  if (pathNodes >= chainNodesMax) return false
  const { view, high, parameters } = state
  if (high.view === view - 1) return true
  // The last one of them makes the certificate that commits.
  for (let ahead = 0; ahead <= runLength(parameters); ahead++) {
    const leader = leaderInTurn(state, view + ahead)
    if (!hasGivenUp(state, leader, view - 1)) return false
  }
  return true
}

function hasGivenUp({ timeouts, timeoutsOf, self }: HotstuffState, replica: ReplicaId, view: View): boolean {
  if (replica === self || (timeoutsOf.get(replica)?.view ?? 0) >= view) return true
  return timeouts !== null && timeouts.view === view && timeouts.timeouts.some((one) => one.replica === replica)
}
