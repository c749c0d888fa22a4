/**
 * The two rule sets over one engine: when a node may be voted for, and what a certificate commits.
 *
 * TWO-CHAIN (Jolteon, arXiv 2106.10362 §3). A vote in view v: not below what this replica has voted for or given up, and the node extends the
 * certificate of view v − 1; or v − 1 was given up by a quorum, and it extends a certificate at least as high as each of them has signed. A
 * node is committed when it and its direct child of the next view are certified. There is no other lock.
 *
 * THREE-CHAIN (HotStuff, PODC'19, algorithm 5). A vote: the node extends the locked one, or its certificate is of a later view than the lock.
 * A node is committed when it, its child and its grandchild, of views that follow each other, are certified.
 */

import type { Height, View } from '../../kernel/ids.ts'
import type { Parameters } from '../../kernel/parameters.ts'
import type { ChainNode } from './tree.ts'
import type { TimeoutCertificate } from './messages.ts'

/** How many certified nodes in a row commit the first of them. */
export function runLength({ hotstuff }: Pick<Parameters, 'hotstuff'>): number {
  return hotstuff.rule === 'two-chain' ? 2 : 3
}

/**
 * R3: the highest that somebody may have acknowledged to a client when a quorum has voted for a node of this height: he has a certificate of that
 * node too, and it is the last of a run.
 */
export function acknowledgedBelow(height: Height, parameters: Pick<Parameters, 'hotstuff'>): Height {
  return height - (runLength(parameters) - 1)
}

/** Is there a reason for this view, and may a node that extends this certificate stand in it? The same for all who see it. */
export function isJustified(
  view: View,
  certificateView: View,
  timeouts: TimeoutCertificate | null,
  { hotstuff }: Pick<Parameters, 'hotstuff'>,
): boolean {
  if (certificateView === view - 1) return true
  if (timeouts === null || timeouts.view !== view - 1 || certificateView >= view) return false
  // Three-chain locks by its tree: timeout certificates only synchronise views.
  return hotstuff.rule === 'three-chain' || certificateView >= highestIn(timeouts)
}

/** R2: what a quorum has signed while it gave the view up. One of them may have voted for what is committed. */
export function highestIn({ timeouts }: TimeoutCertificate): View {
  return timeouts.reduce((highest, { certificateView }) => Math.max(highest, certificateView), 0)
}

/** The node that a certificate for the last of these commits; given from the certified one downwards. */
export function committedBy(certified: readonly ChainNode[], run: number): ChainNode | null {
  for (let index = 1; index < run; index++) {
    const [child, parent] = [certified[index - 1], certified[index]]
    if (child === undefined || parent === undefined || child.view !== parent.view + 1) return null
  }
  return certified[run - 1] ?? null
}
