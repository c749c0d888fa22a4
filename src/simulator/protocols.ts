// The protocols that the simulator runs, and what is particular to each in its world.

import { parameterBounds, type HotstuffRule, type Parameters } from '../kernel/parameters.ts'
import type { ProtocolName, ReplicaId } from '../kernel/ids.ts'
import { membershipOf, type Epoch } from '../kernel/membership.ts'
import type { Command, ProtocolDefinition, ProtocolEvent } from '../kernel/protocol.ts'
import type { Random } from '../kernel/random.ts'
import { hotstuff } from '../protocols/hotstuff/hotstuff.ts'
import { leaderInTurn } from '../protocols/hotstuff/leaders.ts'
import type { HotstuffMessage } from '../protocols/hotstuff/messages.ts'
import type { HotstuffRecord } from '../protocols/hotstuff/records.ts'
import { pbft } from '../protocols/pbft/pbft.ts'
import { raft } from '../protocols/raft/raft.ts'
import type { RaftMessage } from '../protocols/raft/messages.ts'
import type { RaftRecord } from '../protocols/raft/records.ts'
import type { PbftMessage } from '../protocols/pbft/messages.ts'
import type { PbftRecord } from '../protocols/pbft/records.ts'
import { hotstuffBehaviours, pbftBehaviours } from './adversaries/table.ts'
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
  /** What an operator wishes now and then, of whom. Null: there is nothing to wish for. */
  readonly drawWish: ((random: Random, replicas: readonly ReplicaId[]) => Wish) | null
  /** On top of what all protocols draw. `random` is asked by no other. */
  drawParameters(parameters: Parameters, random: Random, rule: HotstuffRule | null): Parameters
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

const simulatedPbft: SimulatedProtocol<PbftMessage, PbftRecord> = {
  definition: pbft,
  firstLeader: (epoch) => primaryOf(epoch, 0),
  leadership: ({ kind, detail }, _of, epoch) => {
    if (kind !== 'view-entered') return null
    const view = detail?.['view'] as number
    return { term: view, leader: primaryOf(epoch, view) }
  },
  isElected: false,
  drawWish: (random, replicas) => {
    const of = replicas.filter(() => random.chance(2, 3))
    return { command: { kind: 'suspect-leader' }, of, words: `suspects the leader, at ${of.join(' ')}` }
  },
  drawParameters: (parameters, random) => ({
    ...parameters,
    // Nobody vouches for what a client has not signed.
    envelopeSignatures: 'required',
    pbft: {
      windowBlocks: random.pick([2, 3]) * parameters.checkpoints.intervalHeights,
      clockToleranceMs: random.pick([4_000, 8_000]),
    },
  }),
  behaviours: pbftBehaviours,
}

const simulatedHotstuff: SimulatedProtocol<HotstuffMessage, HotstuffRecord> = {
  definition: hotstuff,
  firstLeader: (epoch) => leaderInTurn({ membership: membershipOf(epoch), parameters: epoch.parameters }, 1),
  leadership: ({ kind, detail }) =>
    kind === 'view-entered' ? { term: detail?.['view'] as number, leader: detail?.['leader'] as ReplicaId } : null,
  isElected: false,
  // Leaders change by themselves.
  drawWish: null,
  drawParameters: (parameters, random, rule) => ({
    ...parameters,
    envelopeSignatures: 'required',
    hotstuff: {
      rule: rule ?? parameterBounds.hotstuff.rule.default,
      leaders: random.pick(parameterBounds.hotstuff.leaders.choices),
      tenureViews: random.pick([2, 4, 7]),
      clockToleranceMs: random.pick([4_000, 8_000]),
    },
  }),
  behaviours: hotstuffBehaviours,
}

function primaryOf(epoch: Epoch, view: number): ReplicaId {
  const { voters } = membershipOf(epoch)
  return voters[view % voters.length]!
}

export interface SimulatedProtocols {
  readonly raft: SimulatedProtocol<RaftMessage, RaftRecord>
  readonly pbft: SimulatedProtocol<PbftMessage, PbftRecord>
  readonly hotstuff: SimulatedProtocol<HotstuffMessage, HotstuffRecord>
}

export const simulatedProtocols: SimulatedProtocols = {
  raft: simulatedRaft,
  pbft: simulatedPbft,
  hotstuff: simulatedHotstuff,
}

/** Names of the behaviours that `--behaviour` takes with this protocol. */
export function behaviourNames(protocol: ProtocolName): readonly string[] {
  return simulatedProtocols[protocol].behaviours.map(({ name }) => name)
}
