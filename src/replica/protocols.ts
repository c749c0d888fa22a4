// Which protocols a replica of this release can run.

import type { ProtocolName } from '../kernel/ids.ts'
import type { ProtocolDefinition } from '../kernel/protocol.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import { pbft } from '../protocols/pbft/pbft.ts'
import { raft } from '../protocols/raft/raft.ts'

/** What a replica persists and sends is its protocol's own business. */
type AnyDefinition = ProtocolDefinition<unknown, unknown>

const definitions: Readonly<Record<ProtocolName, AnyDefinition | null>> = {
  raft: raft as unknown as AnyDefinition,
  pbft: pbft as unknown as AnyDefinition,
  hotstuff: null,
}

export function definitionOf(protocol: ProtocolName): AnyDefinition {
  const definition = definitions[protocol]
  if (definition !== null) return definition
  throw new QuorateError('ERR_PROTOCOL_UNAVAILABLE', `this release has no replica for ${protocol}: use raft or pbft`)
}
