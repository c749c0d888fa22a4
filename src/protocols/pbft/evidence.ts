// Which two statements of one replica contradict each other: a correct one votes once in a phase of a view, asks for a view once, and
// opens a view once, whatever restarts lie between (PBFT §4.2, §4.4).

import { decode, type Codec } from '../../wire/codec.ts'
import { signingDomainOf } from '../../kernel/domains.ts'
import type { Evidence } from '../../kernel/evidence.ts'
import { newViewBodyCodec, statementCodec, viewChangeBodyCodec } from './messages.ts'

/** Of two different statements: what both are about, or null if one replica may well have made both. */
export function contradictionOf(evidence: Evidence): string | null {
  switch (signingDomainOf(evidence.domainTag)) {
    case 'pbft-pre-prepare':
    case 'pbft-prepare':
    case 'pbft-commit':
      return common(statementCodec, evidence, ({ view, height }) => `view ${view}, height ${height}`)
    case 'pbft-view-change':
      return common(viewChangeBodyCodec, evidence, ({ view }) => `view ${view}`)
    case 'pbft-new-view':
      return common(newViewBodyCodec, evidence, ({ view }) => `view ${view}`)
    default:
      return null
  }
}

function common<Body>(codec: Codec<Body>, { first, second }: Evidence, subject: (body: Body) => string): string | null {
  const [left, right] = [decode(codec, first.body), decode(codec, second.body)]
  if (!left.ok || !right.ok) return null
  return subject(left.value) === subject(right.value) ? subject(left.value) : null
}
