// The protocols that a replica can run.

import type { ProtocolName } from '../kernel/ids.ts'
import type { ProtocolDefinition } from '../kernel/protocol.ts'
import { hotstuff } from '../protocols/hotstuff/hotstuff.ts'
import { pbft } from '../protocols/pbft/pbft.ts'
import { raft } from '../protocols/raft/raft.ts'

/** What a replica persists and sends is its protocol's own business. */
type AnyDefinition = ProtocolDefinition<unknown, unknown>

const definitions: Readonly<Record<ProtocolName, AnyDefinition>> = {
  raft: raft as unknown as AnyDefinition,
  pbft: pbft as unknown as AnyDefinition,
  hotstuff: hotstuff as unknown as AnyDefinition,
}

export function definitionOf(protocol: ProtocolName): AnyDefinition {
  return definitions[protocol]
}
