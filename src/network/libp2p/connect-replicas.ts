// A libp2p node that dials replicas and is dialled by nobody, with the links on it.

import type { Libp2p, Libp2pOptions } from 'libp2p'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { Random } from '../../kernel/random.ts'
import { linkVersion, processNonceBytes } from '../link/link-frame.ts'
import type { Transport } from './addresses.ts'
import { privateKeyOf } from './identity.ts'
import { ReplicaLinks, type ReplicaLinksListener } from './replica-links.ts'
import { stopNode } from './stop-node.ts'
import { connectionSettings, diallerGater, sharedSettings, streamProtocol } from './settings.ts'

export interface ConnectOptions {
  epoch: Epoch
  secretKey: Uint8Array
  transport: Transport
  random: Random
  nowMs: () => number
  listener: ReplicaLinksListener
  /** Adds the host's transports. */
  create: (init: Libp2pOptions) => Promise<Libp2p>
}

export interface ConnectedReplicas {
  send(to: ReplicaId, body: Uint8Array): void
  endTurn(): void
  stop(): Promise<void>
}

/** Answers at once; the links come up behind it. */
export function connectReplicas(options: ConnectOptions): ConnectedReplicas {
  let links: ReplicaLinks | null = null
  let stopped = false
  const node = start(options)
  const linked = node.then(
    (running) => {
      if (!stopped) links = createLinks(options, running)
    },
    // Without a node nobody is reached, and every call ends at its deadline.
    (error: unknown) => {
      for (const { id } of options.epoch.members) options.listener.disconnected(id, String(error))
    },
  )
  return {
    send: (to, body) => links?.send(to, body),
    endTurn: () => links?.endTurn(),
    stop: async () => {
      stopped = true
      await linked
      links?.stop()
      await node.then(stopNode, () => {})
    },
  }
}

async function start({ secretKey, create }: ConnectOptions): Promise<Libp2p> {
  return create({
    ...sharedSettings(),
    privateKey: await privateKeyOf(secretKey),
    connectionManager: connectionSettings,
    connectionGater: diallerGater,
  })
}

function createLinks({ epoch, transport, random, nowMs, listener }: ConnectOptions, node: Libp2p): ReplicaLinks {
  return new ReplicaLinks({
    node,
    members: epoch.members,
    transport,
    protocol: streamProtocol(epoch.network, 'client'),
    hello: { version: linkVersion, incarnation: 0, process: new Uint8Array(processNonceBytes) },
    random,
    nowMs,
    listener,
  })
}
