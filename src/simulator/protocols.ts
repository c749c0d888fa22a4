// The protocols that the simulator runs, and what is particular to each in its world.

import type { Parameters } from '../kernel/parameters.ts'
import { protocolNames, type ProtocolName, type ReplicaId } from '../kernel/ids.ts'
import type { Epoch } from '../kernel/membership.ts'
import type { Command, ProtocolDefinition, ProtocolEvent } from '../kernel/protocol.ts'
import type { Random } from '../kernel/random.ts'
import { raft } from '../protocols/raft/raft.ts'
import type { RaftMessage } from '../protocols/raft/messages.ts'
import type { RaftRecord } from '../protocols/raft/records.ts'
import type { PbftMessage } from '../protocols/pbft/messages.ts'
import type { PbftRecord } from '../protocols/pbft/records.ts'
import { pbftBehaviours } from './adversaries/table.ts'
import type { Behaviour } from './adversaries/behaviour.ts'

/** Who leads from now on, as an event of a replica says: who is hit more often than chance would. */
export interface Leadership {
  readonly term: number
  readonly leader: ReplicaId
}

export interface SimulatedProtocol<Message, LogRecord> {
  readonly definition: ProtocolDefinition<Message, LogRecord>
  /** Before any event. Null: nobody yet. */
  firstLeader(epoch: Epoch): ReplicaId | null
  leadership(event: ProtocolEvent, of: ReplicaId, epoch: Epoch): Leadership | null
  /** No two replicas ever say that they lead one term. */
  readonly isElected: boolean
  /** What an operator wishes now and then, of whom. */
  drawWish(random: Random, replicas: readonly ReplicaId[]): Wish
  /** On top of what all protocols draw. `random` is asked by no other. */
  drawParameters(parameters: Parameters, random: Random): Parameters
  readonly behaviours: readonly Behaviour<Message>[]
}

export interface Wish {
  readonly command: Command
  readonly of: readonly ReplicaId[]
  readonly words: string
}

const simulatedRaft: SimulatedProtocol<RaftMessage, RaftRecord> = {
  definition: raft,
  firstLeader: () => null,
  leadership: ({ kind, detail }, of) =>
    kind === 'leader-elected' ? { term: detail?.['term'] as number, leader: of } : null,
  isElected: true,
  drawWish: (random, replicas) => {
    const to = random.chance(1, 3) ? null : random.pick(replicas)
    // Said to all: only a leader can grant it.
    const words = `wishes that ${to ?? 'somebody else'} leads`
    return { command: { kind: 'transfer-leadership', to }, of: replicas, words }
  },
  drawParameters: (parameters) => parameters,
  behaviours: [],
}

export interface SimulatedProtocols {
  readonly raft: SimulatedProtocol<RaftMessage, RaftRecord>
  /** Null: not built yet. */
  readonly pbft: SimulatedProtocol<PbftMessage, PbftRecord> | null
  readonly hotstuff: null
}

export const simulatedProtocols: SimulatedProtocols = { raft: simulatedRaft, pbft: null, hotstuff: null }

/** Names of the behaviours that `--behaviour` takes with this protocol. */
export function behaviourNames(protocol: ProtocolName): readonly string[] {
  const names: Readonly<Record<ProtocolName, readonly Behaviour<never>[]>> = {
    raft: [],
    pbft: pbftBehaviours as readonly Behaviour<never>[],
    hotstuff: [],
  }
  return names[protocol].map(({ name }) => name)
}

/** Those that can be run. */
export const builtProtocols: readonly ProtocolName[] = protocolNames.filter(isSimulated)

export function isSimulated(protocol: ProtocolName): boolean {
  return simulatedProtocols[protocol] !== null
}
