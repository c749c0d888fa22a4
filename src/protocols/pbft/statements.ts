// What is signed, by whom, and under which domain. Each kind of statement has one function to make it and one to check it.

import { encode } from '../../wire/codec.ts'
import type { Digest, Signature } from '../../kernel/crypto-ports.ts'
import { hashingBytes, signingBytes, signingDomains, type SigningDomain } from '../../kernel/domains.ts'
import type { SignedStatement } from '../../kernel/evidence.ts'
import type { ReplicaId, View } from '../../kernel/ids.ts'
import {
  newViewBodyCodec,
  statementCodec,
  viewChangeBodyCodec,
  wishBodyCodec,
  type NewView,
  type Statement,
  type ViewChange,
} from './messages.ts'
import type { PbftState } from './state.ts'

export type Phase = 'pre-prepare' | 'prepare' | 'commit'

const phaseDomains = {
  'pre-prepare': 'pbft-pre-prepare',
  prepare: 'pbft-prepare',
  commit: 'pbft-commit',
} as const satisfies Record<Phase, SigningDomain>

export function signPhase(state: PbftState, phase: Phase, statement: Statement): Signature {
  return sign(state, phaseDomains[phase], encode(statementCodec, statement))
}

export function isSignedPhase(
  state: PbftState,
  phase: Phase,
  signer: ReplicaId,
  statement: Statement,
  signature: Signature,
): boolean {
  return isSigned(state, phaseDomains[phase], signer, encode(statementCodec, statement), signature)
}

export function signViewChange(state: PbftState, body: Omit<ViewChange, 'kind' | 'signature'>): ViewChange {
  const signature = sign(state, 'pbft-view-change', encode(viewChangeBodyCodec, body))
  return { kind: 'view-change', ...body, signature }
}

export function isSignedViewChange(state: PbftState, viewChange: ViewChange): boolean {
  const body = encode(viewChangeBodyCodec, viewChange)
  return isSigned(state, 'pbft-view-change', viewChange.sender, body, viewChange.signature)
}

/** As a new view cites it. Its signature lies outside: whoever signs twice has said the same twice. */
export function viewChangeDigest(state: PbftState, viewChange: ViewChange): Digest {
  return state.ports.hasher.digest(hashingBytes('pbft-view-change-digest', encode(viewChangeBodyCodec, viewChange)))
}

export function signNewView(state: PbftState, body: Omit<NewView, 'kind' | 'signature'>): NewView {
  return { kind: 'new-view', ...body, signature: sign(state, 'pbft-new-view', encode(newViewBodyCodec, body)) }
}

export function isSignedNewView(state: PbftState, primary: ReplicaId, newView: NewView): boolean {
  return isSigned(state, 'pbft-new-view', primary, encode(newViewBodyCodec, newView), newView.signature)
}

export function signWish(state: PbftState, view: View): Signature {
  return sign(state, 'wish', encode(wishBodyCodec, { view }))
}

export function isSignedWish(state: PbftState, signer: ReplicaId, view: View, signature: Signature): boolean {
  return isSigned(state, 'wish', signer, encode(wishBodyCodec, { view }), signature)
}

/** Both statements stand as they were signed. */
export function phaseTag(phase: Phase): number {
  return signingDomains[phaseDomains[phase]]
}

export function signedStatement(statement: Statement, signature: Signature): SignedStatement {
  return { body: encode(statementCodec, statement), signature }
}

function sign(state: PbftState, domain: SigningDomain, body: Uint8Array): Signature {
  return state.ports.signer.sign(signingBytes(domain, state.scope, body))
}

/** True only for a voter: learners follow, and vouch for nothing. */
function isSigned(
  state: PbftState,
  domain: SigningDomain,
  signer: ReplicaId,
  body: Uint8Array,
  signature: Signature,
): boolean {
  const member = state.membership.member(signer)
  if (member === undefined || member.role !== 'voter') return false
  return state.ports.verifier.verify(member.consensusKey, signingBytes(domain, state.scope, body), signature)
}
