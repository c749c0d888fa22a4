// Whoever lags behind what others have decided fetches it: blocks with their proofs, or a state where those are gone. What others say of
// themselves is believed as far as one correct replica must have said it, or a certified checkpoint shows it.

import type { Checkpoint } from './checkpoint.ts'
import type { Height, ReplicaId } from './ids.ts'
import type { Membership } from './membership.ts'
import type { Parameters } from './parameters.ts'
import type { Block } from './block.ts'
import type { DecisionProof } from './proof.ts'
import type { Effects, FetchResult, Now } from './protocol.ts'

/** Blocks asked for at once; whoever serves them sends as many as fit. */
export const blocksWantedMax = 1024

/** What a protocol keeps for it. */
export interface CatchingUp {
  readonly self: ReplicaId
  readonly membership: Membership
  readonly parameters: Pick<Parameters, 'flow' | 'timers'>
  /** What each other replica last said of itself. Unproven. */
  readonly claims: ReadonlyMap<ReplicaId, { readonly decidedHeight: Height; readonly servesFrom: Height }>
  readonly certified: Checkpoint | null
  readonly decidedHeight: Height
  readonly executedHeight: Height
  readonly lastDecidedMs: number
  fetchingBlocks: boolean
  /** The least height of a state that was asked for; 0: none. */
  stateWanted: Height
  /** Nothing is asked for again before this. */
  fetchAfterMs: number
  /** Whoever was asked for blocks had none, whatever was claimed: a state is asked for next. */
  servedNothing: boolean
  /** How far others were ahead when blocks were last asked for; Infinity: there is nothing to compare with. */
  lagAtFetch: number
}

export interface DecidedBlock {
  readonly block: Block
  readonly proof: DecisionProof
}

export interface CatchUpStep {
  readonly state: CatchingUp
  readonly now: Now
  readonly effects: Pick<Effects<unknown, unknown>, 'fetch' | 'note'>
}

/** The highest that one correct replica has decided, or that is certified. */
export function decidedByOthers({
  membership,
  claims,
  certified,
  decidedHeight,
}: Pick<CatchingUp, 'membership' | 'claims' | 'certified' | 'decidedHeight'>): Height {
  // Asked in every step, and mostly nobody is ahead.
  const ahead: Height[] = []
  for (const [replica, claim] of claims) {
    if (claim.decidedHeight > decidedHeight && membership.isVoter(replica)) ahead.push(claim.decidedHeight)
  }
  ahead.sort((left, right) => right - left)
  return Math.max(decidedHeight, ahead[membership.oneCorrect - 1] ?? 0, certified?.header.height ?? 0)
}

/** The host looks for one until it has it, or blocks have brought this replica as far. */
export function isStateWanted({
  stateWanted,
  decidedHeight,
}: Pick<CatchingUp, 'stateWanted' | 'decidedHeight'>): boolean {
  return stateWanted > decidedHeight
}

/** `mayComeByItself`: what the next messages of the others bring in a moment need not be fetched. */
export function considerCatchUp({ state, now, effects }: CatchUpStep, mayComeByItself: boolean): void {
  const { decidedHeight, executedHeight, parameters } = state
  const target = decidedByOthers(state)
  if (target <= decidedHeight) {
    state.lagAtFetch = Infinity
    return
  }
  if (state.fetchingBlocks || now.monotonicMs < state.fetchAfterMs) return
  const isPatient = mayComeByItself && target <= decidedHeight + parameters.flow.pipelineBlocksMax
  if (isPatient && now.monotonicMs - state.lastDecidedMs < parameters.timers.retransmitMs) return
  if (decidedHeight - executedHeight >= parameters.flow.executionLagBlocksMax) return
  const ahead = [...state.claims].filter(([, claim]) => claim.decidedHeight > decidedHeight)
  const serving = ahead.filter(([, claim]) => claim.servesFrom <= decidedHeight + 1).map(([replica]) => replica)
  // Who serves block by block while the others go on as fast serves nothing.
  const gains = target - decidedHeight < state.lagAtFetch
  if (serving.length > 0 && !state.servedNothing && gains) {
    state.lagAtFetch = target - decidedHeight
    state.fetchingBlocks = true
    const toHeight = Math.min(target, decidedHeight + blocksWantedMax)
    return effects.fetch({ kind: 'decided', fromHeight: decidedHeight + 1, toHeight }, serving)
  }
  // A state is looked for until it has come, and there may never be one: blocks are asked for again meanwhile.
  state.servedNothing = false
  state.lagAtFetch = Infinity
  // Nobody has said where it can be had: the next status asks.
  if (isStateWanted(state) || ahead.length === 0) return
  state.stateWanted = decidedHeight + 1
  // Everybody is named, since nobody is later: who is ahead may be one liar, and the others have not been heard yet.
  const holders = new Set([...ahead.map(([replica]) => replica), ...state.membership.all])
  holders.delete(state.self)
  effects.fetch({ kind: 'state', minimumHeight: state.stateWanted }, [...holders])
  effects.note({ kind: 'state-wanted', detail: { height: state.stateWanted } })
}

/** `takeOver` hands over those that follow what is decided. The host has verified their proofs, and that each payload is the one in its header. */
export function onDecidedFetched(
  step: CatchUpStep,
  result: FetchResult,
  takeOver: (blocks: readonly DecidedBlock[]) => void,
): void {
  const { state, effects } = step
  const before = state.decidedHeight
  state.servedNothing = result.kind !== 'decided' || result.blocks.length === 0
  if (result.kind === 'decided') takeOver(result.blocks)
  state.fetchingBlocks = false
  if (state.decidedHeight > before) effects.note({ kind: 'catch-up', detail: { blocks: state.decidedHeight - before } })
  else pauseFetching(step)
}

export function pauseFetching({ state, now }: CatchUpStep): void {
  state.fetchAfterMs = now.monotonicMs + state.parameters.timers.retransmitMs
}
