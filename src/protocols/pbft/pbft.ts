/** PBFT as a protocol of the house: one step takes one input. The rules stand in the files beside this one, and in README.md. */

import type { ReplicaId } from '../../kernel/ids.ts'
import type { Block } from '../../kernel/block.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type {
  FetchResult,
  Input,
  Leadership,
  Now,
  Protocol,
  ProtocolDefinition,
  ProtocolOptions,
  ProtocolStatus,
  Wanted,
} from '../../kernel/protocol.ts'
import { broken } from '../../kernel/invariant.ts'
import { onPayloadFetched, onPrePrepare, onValidated, onVote } from './agreement.ts'
import { onBlocksFetched, onStateFetched } from './catching-up.ts'
import { onCertified, onRestored, onStable } from './checkpoints.ts'
import { measureRoundTrips } from '../../kernel/round-trips.ts'
import { isDecided } from './decision.ts'
import { contradictionOf } from './evidence.ts'
import { continueJudgement } from './judging.ts'
import { describeMessage, pbftMessageCodec, supersededBy, type PbftMessage } from './messages.ts'
import { onNewView } from './new-views.ts'
import { heldPayload } from './payloads.ts'
import { onLingerTimer } from './proposing.ts'
import { pbftRecordCodec, type PbftRecord } from './records.ts'
import { start } from './recovery.ts'
import { handOn, onForwardTimer, onRequestTimer } from './requests.ts'
import { settle } from './settling.ts'
import {
  createState,
  hasVoice,
  isPrimary,
  roundTripsPerTimeout,
  timer,
  type PbftEffects,
  type PbftState,
  type Step,
} from './state.ts'
import { onAskViewChanges, onHeartbeatTimer, onStatus, onStatusTimer } from './status-exchange.ts'
import { leadershipOf, statusOf } from './status.ts'
import { onPaceTimer, onWish, wish } from './suspicion.ts'
import { onNewViewTimer, onViewChange } from './view-change-intake.ts'

export const pbft: ProtocolDefinition<PbftMessage, PbftRecord> = {
  name: 'pbft',
  message: pbftMessageCodec,
  logRecord: pbftRecordCodec,
  create: (options) => new Pbft(options),
  describe: describeMessage,
  supersedes: supersededBy,
  verifyDecision: isDecided,
  contradiction: contradictionOf,
}

class Pbft implements Protocol<PbftMessage, PbftRecord> {
  readonly #state: PbftState

  constructor(options: ProtocolOptions) {
    this.#state = createState(options)
  }

  status(now: Now): ProtocolStatus {
    return statusOf(this.#state, now)
  }

  leadership(): Leadership {
    return leadershipOf(this.#state)
  }

  payload(digest: Uint8Array): Uint8Array | null {
    return heldPayload(this.#state, digest)
  }

  /** What is not on disk yet may still be lost, and is nothing to be relied on. */
  decided(fromHeight: number, bytesMax: number): { block: Block; proof: DecisionProof }[] {
    return this.#state.ledger.run(fromHeight, bytesMax, this.#state.durable)
  }

  step(input: Input<PbftMessage, PbftRecord>, now: Now, effects: PbftEffects): void {
    const step: Step = { state: this.#state, now, effects }
    this.#dispatch(step, input)
    settle(step)
    checkInvariants(this.#state)
  }

  #dispatch(step: Step, input: Input<PbftMessage, PbftRecord>): void {
    const { state } = step
    switch (input.kind) {
      case 'start':
        return start(step, input.recovered)
      case 'message':
        // Whoever cannot persist promises nothing, and what it would answer could not leave.
        return state.stalled ? undefined : onMessage(step, input.from, input.message)
      case 'timer':
        return onTimer(step, input.name)
      case 'requests':
        return handOn(step)
      case 'durable':
        state.durable = Math.max(state.durable, input.upTo)
        return
      case 'executed':
        state.executedHeight = Math.max(state.executedHeight, input.height)
        return
      case 'validated':
        return onValidated(step, input.digest, input.ok)
      case 'fetched':
        return onFetched(step, input.wanted, input.result)
      case 'certified':
        return onCertified(step, input.checkpoint)
      case 'stable':
        return onStable(step, input.checkpoint)
      case 'restored':
        return onRestored(step, input.checkpoint)
      case 'read':
        return onRead(step, input.id)
      case 'storage-stalled':
        state.stalled = true
        return
      case 'storage-resumed':
        state.stalled = false
        return
      case 'command':
        // Both mean the same here: who comes next is fixed, and one replica's wish moves nobody.
        return wish(step)
    }
  }
}

function onMessage(step: Step, from: ReplicaId, message: PbftMessage): void {
  switch (message.kind) {
    case 'pre-prepare':
      return onPrePrepare(step, from, message)
    case 'prepare':
    case 'commit':
      return onVote(step, from, message)
    case 'view-change':
      return onViewChange(step, from, message)
    case 'new-view':
      return onNewView(step, from, message)
    case 'ask-view-changes':
      return onAskViewChanges(step, from, message)
    case 'status':
      return onStatus(step, from, message)
    case 'wish':
      return onWish(step, from, message)
  }
}

function onTimer(step: Step, name: string): void {
  switch (name) {
    case timer.request:
      return onRequestTimer(step)
    case timer.forward:
      return onForwardTimer(step)
    case timer.linger:
      return onLingerTimer(step)
    case timer.status:
      return onStatusTimer(step)
    case timer.heartbeat:
      return onHeartbeatTimer(step)
    case timer.newView:
      return onNewViewTimer(step)
    case timer.judge:
      return continueJudgement(step)
    case timer.pace:
      // What was armed for longer is armed anew. Who was armed for less looks at the time when it fires, and waits for the rest.
      if (measureRoundTrips(step.state, roundTripsPerTimeout, step.effects) < 0) step.state.requestArmed = false
      return onPaceTimer(step)
  }
}

function onFetched(step: Step, wanted: Wanted, result: FetchResult): void {
  switch (wanted.kind) {
    case 'payload':
      return onPayloadFetched(step, wanted.digest, result.kind === 'payload' ? result.payload : null)
    case 'decided':
      return onBlocksFetched(step, result)
    case 'state':
      return onStateFetched(step)
  }
}

/** R3: everything that anybody may have been told lies at or below what this replica has sent a commit for, or a quorum without it has. */
function onRead({ state, effects }: Step, id: number): void {
  if (!hasVoice(state)) return effects.readFailed(id, 'it has no vote, so nobody counts its answers')
  effects.readReady(id, Math.max(state.committedHeight, state.decidedHeight))
}

/** C35, and the order of the watermarks. Cheap enough for every step. */
function checkInvariants(state: PbftState): void {
  const { stableHeight, low, decidedHeight, executedHeight, nextHeight } = state
  const holds = stableHeight <= Math.max(low, decidedHeight) && executedHeight <= decidedHeight && nextHeight > low
  if (holds) return
  broken(
    `stable ${stableHeight}, low ${low}, executed ${executedHeight}, decided ${decidedHeight}, next ${nextHeight}, primary ${isPrimary(state)}`,
  )
}
