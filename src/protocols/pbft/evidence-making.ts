// Two statements of one replica that contradict each other go to the host, which keeps them.

import type { Signature } from '../../kernel/crypto-ports.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { signingDomains } from '../../kernel/domains.ts'
import { encode } from '../../wire/codec.ts'
import { newViewBodyCodec, viewChangeBodyCodec, type NewView, type Statement, type ViewChange } from './messages.ts'
import type { Step } from './state.ts'
import { phaseTag, signedStatement, type Phase } from './statements.ts'

/** Both were verified. */
export function accuseOf(
  step: Step,
  replica: ReplicaId,
  phase: Phase,
  first: Statement,
  firstSignature: Signature,
  second: Statement,
  secondSignature: Signature,
): void {
  const { state, effects } = step
  effects.note({ kind: 'equivocation', detail: { replica, phase, view: first.view, height: first.height } })
  effects.accuse({
    replica,
    protocol: 'pbft',
    epoch: state.epoch.number,
    domainTag: phaseTag(phase),
    first: signedStatement(first, firstSignature),
    second: signedStatement(second, secondSignature),
  })
}

/** Two view changes of one replica to one view. */
export function accuseOfViewChange({ state, effects }: Step, first: ViewChange, second: ViewChange): void {
  effects.note({ kind: 'equivocation', detail: { replica: first.sender, phase: 'view-change', view: first.view } })
  effects.accuse({
    replica: first.sender,
    protocol: 'pbft',
    epoch: state.epoch.number,
    domainTag: signingDomains['pbft-view-change'],
    first: { body: encode(viewChangeBodyCodec, first), signature: first.signature },
    second: { body: encode(viewChangeBodyCodec, second), signature: second.signature },
  })
}

/** Two new views of one primary for one view. */
export function accuseOfNewView({ state, effects }: Step, replica: ReplicaId, first: NewView, second: NewView): void {
  effects.note({ kind: 'equivocation', detail: { replica, phase: 'new-view', view: first.view } })
  effects.accuse({
    replica,
    protocol: 'pbft',
    epoch: state.epoch.number,
    domainTag: signingDomains['pbft-new-view'],
    first: { body: encode(newViewBodyCodec, first), signature: first.signature },
    second: { body: encode(newViewBodyCodec, second), signature: second.signature },
  })
}
