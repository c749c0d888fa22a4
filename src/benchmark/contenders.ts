// What is compared: a protocol, and for hotstuff the rule by which it commits.

import type { ProtocolName } from '../kernel/ids.ts'
import type { HotstuffRule } from '../kernel/parameters.ts'

export interface Contender {
  /** As in tables and plots. */
  name: string
  protocol: ProtocolName
  /** Without a meaning where the protocol is another. */
  rule: HotstuffRule
}

export const contenders: readonly Contender[] = [
  { name: 'raft', protocol: 'raft', rule: 'two-chain' },
  { name: 'pbft', protocol: 'pbft', rule: 'two-chain' },
  { name: 'hotstuff', protocol: 'hotstuff', rule: 'two-chain' },
  { name: 'hotstuff/three-chain', protocol: 'hotstuff', rule: 'three-chain' },
]
