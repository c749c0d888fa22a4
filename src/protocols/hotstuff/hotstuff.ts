/** HotStuff as a protocol of the house: one step takes one input. The rules stand in the files beside this one, and in README.md. */

import type { Block } from '../../kernel/block.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { broken } from '../../kernel/invariant.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import { measureRoundTrips } from '../../kernel/round-trips.ts'
import type {
  Input,
  Leadership,
  Now,
  Protocol,
  ProtocolDefinition,
  ProtocolOptions,
  ProtocolStatus,
} from '../../kernel/protocol.ts'
import { onAsk } from './ancestors.ts'
import { onBlocksFetched } from './catching-up.ts'
import { onCertified, onRestored, onStable } from './checkpoints.ts'
import { isDecided } from './decision.ts'
import { contradictionOf } from './evidence.ts'
import { describeMessage, hotstuffMessageCodec, supersededBy, type HotstuffMessage } from './messages.ts'
import { onNewest, onTimeout, onViewTimer } from './pacemaker.ts'
import { hotstuffRecordCodec, type HotstuffRecord } from './records.ts'
import { start } from './recovery.ts'
import { onForwardTimer } from './requests.ts'
import { settle } from './settling.ts'
import { createState, hasVoice, timer, type HotstuffEffects, type HotstuffState, type Step } from './state.ts'
import { onStatus, onStatusTimer } from './status-exchange.ts'
import { leadershipOf, statusOf } from './status.ts'
import { roundTripsPerTimeout } from './views.ts'
import { onProposal, onValidated, onVote } from './voting.ts'

export const hotstuff: ProtocolDefinition<HotstuffMessage, HotstuffRecord> = {
  name: 'hotstuff',
  message: hotstuffMessageCodec,
  logRecord: hotstuffRecordCodec,
  create: (options) => new Hotstuff(options),
  describe: describeMessage,
  supersedes: supersededBy,
  verifyDecision: isDecided,
  contradiction: contradictionOf,
}

class Hotstuff implements Protocol<HotstuffMessage, HotstuffRecord> {
  readonly #state: HotstuffState

  constructor(options: ProtocolOptions) {
    this.#state = createState(options)
  }

  status(now: Now): ProtocolStatus {
    return statusOf(this.#state, now)
  }

  leadership(): Leadership {
    return leadershipOf(this.#state)
  }

  /** What is not on disk yet may still be lost, and is nothing to be relied on. */
  decided(fromHeight: number, bytesMax: number): { block: Block; proof: DecisionProof }[] {
    return this.#state.ledger.run(fromHeight, bytesMax, this.#state.durable)
  }

  step(input: Input<HotstuffMessage, HotstuffRecord>, now: Now, effects: HotstuffEffects): void {
    const step: Step = { state: this.#state, now, effects }
    this.#dispatch(step, input)
    settle(step)
    checkInvariants(this.#state)
  }

  #dispatch(step: Step, input: Input<HotstuffMessage, HotstuffRecord>): void {
    const { state } = step
    switch (input.kind) {
      case 'start':
        return start(step, input.recovered)
      case 'message':
        // Whoever cannot persist promises nothing, and what it would answer could not leave.
        return state.stalled ? undefined : onMessage(step, input.from, input.message)
      case 'timer':
        return onTimer(step, input.name)
      case 'durable':
        state.durable = Math.max(state.durable, input.upTo)
        return
      case 'executed':
        state.executedHeight = Math.max(state.executedHeight, input.height)
        return
      case 'validated':
        return onValidated(step, input.digest, input.ok)
      case 'fetched':
        if (input.wanted.kind === 'decided') onBlocksFetched(step, input.result)
        return
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
        // Leaders change by themselves: nobody's wish is needed.
        if (input.command.kind !== 'transfer-leadership') return
        return step.effects.note({ kind: 'transfer-refused', detail: { reason: 'leaders-take-turns' } })
      case 'requests':
        return
    }
  }
}

function onMessage(step: Step, from: ReplicaId, message: HotstuffMessage): void {
  switch (message.kind) {
    case 'proposal':
      return onProposal(step, from, message)
    case 'vote':
      return onVote(step, from, message)
    case 'timeout':
      return onTimeout(step, from, message)
    case 'newest':
      return onNewest(step, from, message)
    case 'ask':
      return onAsk(step, from, message)
    case 'status':
      return onStatus(step, from, message)
  }
}

function onTimer(step: Step, name: string): void {
  switch (name) {
    case timer.view:
      return onViewTimer(step)
    case timer.forward:
      return onForwardTimer(step)
    case timer.status:
      // The view's timer follows after the step, up or down.
      measureRoundTrips(step.state, roundTripsPerTimeout, step.effects)
      return onStatusTimer(step)
  }
}

/** R3: what anybody may have been told is certified, and a quorum has voted on its certificate. */
function onRead({ state, effects }: Step, id: number): void {
  if (!hasVoice(state)) return effects.readFailed(id, 'it has no vote, so nobody counts its answers')
  effects.readReady(id, Math.max(state.certifiedHeight, state.decidedHeight))
}

/** Cheap enough for every step. */
function checkInvariants({ stableHeight, decidedHeight, executedHeight, tree, high, view }: HotstuffState): void {
  const root = tree.root.header.block.height
  const holds = stableHeight <= decidedHeight && executedHeight <= decidedHeight && view > high.view
  if (holds && root <= decidedHeight) return
  broken(
    `stable ${stableHeight}, executed ${executedHeight}, decided ${decidedHeight}, root ${root}, view ${view}, certificate ${high.view}`,
  )
}
