// Who takes part in an epoch, and what that makes a quorum.

import type { PublicKey } from './crypto-ports.ts'
import type { EpochNumber, FaultModel, Height, NetworkId, ProtocolName, ReplicaId } from './ids.ts'
import { faultModelOf } from './ids.ts'
import { faultsTolerated, oneCorrect, quorum } from './quorum.ts'
import type { Parameters } from './parameters.ts'

/** A voter votes and can lead; a learner follows until it is promoted. */
export type MemberRole = 'voter' | 'learner'

export interface Member {
  id: ReplicaId
  name: string
  role: MemberRole
  /** Signs what the protocol says. */
  consensusKey: PublicKey
  /** Identifies the replica's links; bound to the consensus key by standing beside it here. */
  linkKey: PublicKey
  /** Where the others reach it: multiaddresses, in order of preference. */
  addresses: string[]
  /** raft: among those who could lead, the highest should. */
  priority: number
}

/** A membership, a protocol and its parameters, from one height on (architecture.md §12). */
export interface Epoch {
  network: NetworkId
  number: EpochNumber
  firstHeight: Height
  protocol: ProtocolName
  /** Ascending by id. */
  members: Member[]
  parameters: Parameters
}

/** The arithmetic of one epoch, worked out once. */
export interface Membership {
  readonly faultModel: FaultModel
  /** Ids of the voters, ascending: leaders are drawn from this order. */
  readonly voters: readonly ReplicaId[]
  readonly learners: readonly ReplicaId[]
  /** Voters and learners, ascending. */
  readonly all: readonly ReplicaId[]
  readonly faultsTolerated: number
  readonly quorum: number
  readonly oneCorrect: number
  isVoter(replica: ReplicaId): boolean
  isMember(replica: ReplicaId): boolean
  member(replica: ReplicaId): Member | undefined
}

export function membershipOf(epoch: Pick<Epoch, 'protocol' | 'members'>): Membership {
  const faultModel = faultModelOf(epoch.protocol)
  const byId = new Map(epoch.members.map((member) => [member.id, member]))
  const ids = (role: MemberRole): ReplicaId[] =>
    epoch.members
      .filter((member) => member.role === role)
      .map((member) => member.id)
      .sort((left, right) => left - right)
  const voters = ids('voter')
  const learners = ids('learner')
  return {
    faultModel,
    voters,
    learners,
    all: [...voters, ...learners].sort((left, right) => left - right),
    faultsTolerated: faultsTolerated(faultModel, voters.length),
    quorum: quorum(faultModel, voters.length),
    oneCorrect: oneCorrect(faultModel, voters.length),
    isVoter: (replica) => byId.get(replica)?.role === 'voter',
    isMember: (replica) => byId.has(replica),
    member: (replica) => byId.get(replica),
  }
}
