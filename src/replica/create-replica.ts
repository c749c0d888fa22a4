/** Starts a replica inside this process. */

import {
  memberOf,
  readIdentity,
  readNetworkFile,
  requireApproved,
  requireTransferRate,
  type ReplicaOptions,
} from './options.ts'
import { definitionOf } from './protocols.ts'
import type { Replica } from './replica.ts'
import { RunningReplica } from './running-replica.ts'

/**
 * Resolves when the replica has recovered its log and listens; it may then still be alone. Rejects with a QuorateError, or a
 * DataDirectoryError about its folder.
 */
export async function createReplica<Command, Query, Result>(
  options: ReplicaOptions<Command, Query, Result>,
): Promise<Replica<Command, Query, Result>> {
  const { transferBytesPerSecond } = options
  if (transferBytesPerSecond !== undefined) requireTransferRate(transferBytesPerSecond)
  const network = typeof options.network === 'string' ? readNetworkFile(options.network) : options.network
  requireApproved(network)
  const identity = typeof options.identity === 'string' ? readIdentity(options.identity) : options.identity
  const member = memberOf(network, identity)
  const replica = new RunningReplica({
    network,
    member,
    identity,
    definition: definitionOf(network.epoch.protocol),
    stateMachine: options.stateMachine,
    dataDir: options.dataDir,
    listen: options.listen ?? member.addresses,
    clients: options.clients ?? [],
    rejoin: options.rejoin ?? false,
    ...(transferBytesPerSecond === undefined ? {} : { transferBytesPerSecond }),
  })
  await start(replica, options.signal)
  return replica
}

interface Startable {
  start(): Promise<void>
  close(): Promise<void>
}

/** Aborted or failed, nothing is left open. */
async function start(replica: Startable, signal: AbortSignal | undefined): Promise<void> {
  const stop = (): void => void replica.close().catch(() => {})
  signal?.throwIfAborted()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    await replica.start()
    signal?.throwIfAborted()
  } catch (error) {
    await replica.close()
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
