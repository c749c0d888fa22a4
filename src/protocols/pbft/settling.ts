// What follows from an input, whichever it was: done once at the end of each step, so that no rule has to know all others.

import { catchUp } from './catching-up.ts'
import { adoptCertified } from './checkpoints.ts'
import { decideReady } from './decisions.ts'
import { adoptReproposals, judgeNext } from './new-views.ts'
import { proposeWaiting } from './proposing.ts'
import { armForward, armRequest } from './requests.ts'
import type { Step } from './state.ts'
import { countViewChanges } from './view-change-intake.ts'

export function settle(step: Step): void {
  const { state } = step
  countViewChanges(step)
  judgeNext(step)
  if (state.adoptionDue) adoptReproposals(step)
  decideReady(step)
  adoptCertified(step)
  // The watermark has moved, and what a new view proposes again above it comes into the window.
  if (state.adoptionDue) adoptReproposals(step)
  catchUp(step)
  proposeWaiting(step)
  armRequest(step)
  armForward(step)
}
