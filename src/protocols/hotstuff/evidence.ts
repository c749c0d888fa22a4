// Which two statements of one replica contradict each other: a correct one proposes once in a view, votes once, and gives it up once, whatever
// restarts lie between.

import { decode, type Codec } from '../../wire/codec.ts'
import { signingDomainOf } from '../../kernel/domains.ts'
import type { Evidence } from '../../kernel/evidence.ts'
import type { View } from '../../kernel/ids.ts'
import { nodeStatementCodec, timeoutStatementCodec } from './messages.ts'

/** Of two different statements: what both are about, or null if one replica may well have made both. */
export function contradictionOf(evidence: Evidence): string | null {
  switch (signingDomainOf(evidence.domainTag)) {
    case 'hotstuff-proposal':
    case 'hotstuff-vote':
      return common(nodeStatementCodec, evidence)
    case 'hotstuff-timeout':
      return common(timeoutStatementCodec, evidence)
    default:
      return null
  }
}

function common(codec: Codec<{ view: View }>, { first, second }: Evidence): string | null {
  const [left, right] = [decode(codec, first.body), decode(codec, second.body)]
  if (!left.ok || !right.ok || left.value.view !== right.value.view) return null
  return `view ${left.value.view}`
}
