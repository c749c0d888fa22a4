// Nodes that a certificate names, and that did not come: fetched by their digest, which is all the proof they need.

import { toHex } from '../../kernel/hex.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { QuorumCertificate } from '../../kernel/proof.ts'
import type { Ask } from './messages.ts'
import { type HotstuffState, type Step } from './state.ts'
import { mayAnswer } from '../../kernel/paced-answers.ts'
import { statusMessage } from './status-message.ts'
import type { ChainNode } from './tree.ts'

/** Nodes that are looked for at a time. */
export const lackingNodesMax = 64
/** Nodes, and bytes of payloads, that one question may bring: the lowest first. One is always brought. */
export const answeredNodesMax = 64
export const answeredBytesMax: number = 1024 * 1024

export function wantNode(step: Step, { view, node, votes }: QuorumCertificate, from: ReplicaId | null): void {
  const { state, now, effects } = step
  const key = toHex(node)
  const known = state.lacking.get(key)
  if (known !== undefined) {
    if (from !== null && !known.holders.includes(from)) known.holders.push(from)
    return
  }
  const voters = votes.map(({ replica }) => replica).filter((replica) => replica !== state.self)
  const holders = [...new Set(from === null || from === state.self ? voters : [from, ...voters])]
  if (holders.length === 0) return
  if (state.lacking.size >= lackingNodesMax) dropLowest(state)
  const lacking = { digest: node, view, holders, askedMs: now.monotonicMs }
  state.lacking.set(key, lacking)
  effects.note({ kind: 'node-wanted' })
  effects.send(holders[0]!, { kind: 'ask', node })
}

/** Higher ones bring those below them along. */
function dropLowest({ lacking }: HotstuffState): void {
  const [lowest] = [...lacking].sort(([, left], [, right]) => left.view - right.view)
  if (lowest !== undefined) lacking.delete(lowest[0])
}

/** What lies below a node that is here, and is not: others may have had it when this replica was down. */
export function wantBelow(step: Step, node: ChainNode): void {
  const { tree } = step.state
  const lowest = tree.descent(node, Infinity).at(-1)!
  const { justify } = lowest.proposal
  if (!tree.isRoot(justify.node) && justify.view > tree.root.header.view) wantNode(step, justify, null)
}

/** Whoever did not answer is asked last. */
export function askAgain(step: Step): void {
  const { state, now, effects } = step
  const { tree, high, firsts, committed, view } = state
  for (const node of [tree.get(high.node), ...firsts.of(view), committed?.node]) {
    if (node != null) wantBelow(step, node)
  }
  // Whoever leads next has to have it: a state that was fetched ends below it.
  if (tree.headerOf(toHex(high.node)) === null && high.view > tree.root.header.view) wantNode(step, high, null)
  const { retransmitMs } = state.parameters.timers
  for (const lacking of state.lacking.values()) {
    if (now.monotonicMs - lacking.askedMs < retransmitMs) continue
    lacking.askedMs = now.monotonicMs
    const [silent, ...others] = lacking.holders
    lacking.holders = [...others, silent!]
    effects.send(lacking.holders[0]!, { kind: 'ask', node: lacking.digest })
  }
}

/** Of what is decided whoever asks has to fetch the blocks: a status says so. */
export function onAsk(step: Step, from: ReplicaId, { node: digest }: Ask): void {
  const { state, effects } = step
  if (!mayAnswer(step, 'ask', from)) return
  const node = state.tree.get(digest)
  if (node === null) return effects.send(from, statusMessage(state, false))
  let bytes = 0
  const sent = state.tree.descent(node, answeredNodesMax).filter(({ proposal }) => {
    const fits = bytes === 0 || bytes + proposal.payload.length <= answeredBytesMax
    bytes += proposal.payload.length
    return fits
  })
  for (const { proposal } of sent.reverse()) effects.send(from, proposal)
}
