// Whether evidence shows what it claims: two statements that no correct replica makes both, under one key. A matter of its bytes and the
// network file alone, so that anybody can judge it, at any time.

import { decode } from '../wire/codec.ts'
import { equalBytes } from '../wire/equal-bytes.ts'
import type { Verifier } from './crypto-ports.ts'
import { signingBytes, signingDomainOf, type SigningDomain } from './domains.ts'
import type { Evidence } from './evidence.ts'
import { executedHeaderCodec } from './executed-header.ts'
import type { Epoch } from './membership.ts'
import type { ProtocolDefinition } from './protocol.ts'

/** `about`: what both statements are about, such as `view 3, height 5`. One contradiction about it is as good as another. */
export type EvidenceVerdict = { ok: true; about: string } | { ok: false; reason: string }

type Definition = Pick<ProtocolDefinition<never, never>, 'name' | 'contradiction'>

/** Total. The cheap questions come first. */
export function judgeEvidence(
  evidence: Evidence,
  epoch: Epoch,
  definition: Definition,
  verifier: Verifier,
): EvidenceVerdict {
  const { replica, protocol, domainTag, first, second } = evidence
  if (evidence.epoch !== epoch.number) return refused('another epoch')
  if (protocol !== epoch.protocol || protocol !== definition.name) return refused('another protocol')
  const domain = signingDomainOf(domainTag)
  if (domain === null) return refused('no domain')
  const member = epoch.members.find(({ id }) => id === replica)
  // Learners sign nothing that counts.
  if (member?.role !== 'voter') return refused('not a voter')
  if (equalBytes(first.body, second.body)) return refused('the same statement twice')
  const about = contradictionIn(evidence, domain, definition)
  if (about === null) return refused('no contradiction')
  const scope = { network: epoch.network, epoch: epoch.number, protocol }
  const areSigned = [first, second].every(({ body, signature }) =>
    verifier.verify(member.consensusKey, signingBytes(domain, scope, body), signature),
  )
  return areSigned ? { ok: true, about } : refused('a wrong signature')
}

/** The statements that all protocols have are judged here, all others by their protocol. */
function contradictionIn(evidence: Evidence, domain: SigningDomain, definition: Definition): string | null {
  if (domain !== 'checkpoint') return definition.contradiction?.(evidence) ?? null
  const { epoch, first, second } = evidence
  const [left, right] = [decode(executedHeaderCodec, first.body), decode(executedHeaderCodec, second.body)]
  if (!left.ok || !right.ok || left.value.epoch !== epoch || right.value.epoch !== epoch) return null
  return left.value.height === right.value.height ? `height ${left.value.height}` : null
}

function refused(reason: string): EvidenceVerdict {
  return { ok: false, reason }
}
