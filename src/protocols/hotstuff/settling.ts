// What follows from an input, whichever it was: done once at the end of each step, so that no rule has to know all others.

import { catchUp } from './catching-up.ts'
import { decideReady } from './decisions.ts'
import { newest } from './newest.ts'
import { watchView } from './pacemaker.ts'
import { propose } from './proposing.ts'
import { handOn } from './requests.ts'
import type { Step } from './state.ts'
import { voteIfDue } from './voting.ts'

export function settle(step: Step): void {
  // A vote may complete a certificate, which opens a view, in which this replica may lead.
  for (;;) {
    const { view, votedView, decidedHeight } = step.state
    decideReady(step)
    voteIfDue(step)
    propose(step)
    const { state } = step
    if (state.view === view && state.votedView === votedView && state.decidedHeight === decidedHeight) break
  }
  catchUp(step)
  endChain(step)
  watchView(step)
  handOn(step)
}

/** The certificate that ends a chain is in nobody's proposal: it is told to all by itself. */
function endChain({ state, effects }: Step): void {
  const { freshCertificate: fresh, view } = state
  if (fresh === null) return
  state.freshCertificate = null
  const isTold = state.proposedView === fresh.view + 1
  if (isTold || view !== fresh.view + 1) return
  effects.note({ kind: 'chain-ended', detail: { view: fresh.view } })
  effects.broadcast(newest(state))
}
