// What one replica is wired from, after `createReplica` has checked it; and what only tests set.

import type { StateMachineDefinition } from '../execution/state-machine.ts'
import type { ReplicaId } from '../kernel/ids.ts'
import type { Member } from '../kernel/membership.ts'
import type { ReadNetwork } from '../kernel/network-file.ts'
import type { ProtocolDefinition } from '../kernel/protocol.ts'
import type { PermittedClients } from '../network/node/replica-network.ts'
import type { LogLimits } from '../storage/log/log.ts'
import type { ClosableDirectory } from '../storage/node/open-data-directory.ts'
import type { SnapshotPolicy } from './core/snapshot-taker.ts'
import type { Identity } from './options.ts'

/** What leaves in the place of bytes. */
export interface Outgoing {
  frame(bytes: Uint8Array, to: ReplicaId): readonly Uint8Array[]
  /** To a client. */
  reply(bytes: Uint8Array): readonly Uint8Array[]
}

export const honest: Outgoing = { frame: (bytes) => [bytes], reply: (bytes) => [bytes] }

export interface RunningReplicaOptions<Command, Query, Result> {
  network: ReadNetwork
  member: Member
  identity: Identity
  definition: ProtocolDefinition<unknown, unknown>
  stateMachine: StateMachineDefinition<Command, Query, Result>
  dataDir: string
  listen: readonly string[]
  clients: PermittedClients
  /** Where the log is lost: follow without a vote. */
  rejoin?: boolean
  /** Of states handed out to others. */
  transferBytesPerSecond?: number
  /** For tests that lose power. */
  openDirectory?: (path: string) => ClosableDirectory
  /** For tests with a replica that lies. */
  outgoing?: Outgoing
  /** For tests that want many segments. */
  logLimits?: LogLimits
  /** For tests that want many snapshots. */
  snapshotPolicy?: SnapshotPolicy
}
