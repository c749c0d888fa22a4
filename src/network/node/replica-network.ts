/**
 * The sockets of one replica: libp2p over TCP (and WebSockets for browsers) with Noise and yamux. Members and permitted clients get
 * in; everyone else is refused in the gater, when the handshake has shown a key and before any protocol runs.
 */

import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { createLibp2p, type Libp2p } from 'libp2p'
import type { PublicKey } from '../../kernel/crypto-ports.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { Random } from '../../kernel/random.ts'
import { peerLinkLimits } from '../link/link.ts'
import type { Hello, LinkRefusal } from '../link/link-frame.ts'
import { linkKeyOf, privateKeyOf } from '../libp2p/identity.ts'
import { connectionSettings, diallerGater, sharedSettings, streamProtocol } from '../libp2p/settings.ts'
import { stopNode } from '../libp2p/stop-node.ts'
import { ClientLinks } from './client-links.ts'
import { clientConnectionsMax, InboundConnections, memberConnectionsMax } from './inbound-connections.ts'
import { nameOfKey } from './key-name.ts'
import { PeerLinks, type PeerContact, type SeenStarts } from './peer-links.ts'

/** Who besides the members may connect. */
export type PermittedClients = 'anyone' | readonly PublicKey[]

export interface ReplicaNetworkListener {
  peerFrame(from: ReplicaId, frame: Uint8Array): void
  peerChanged(replica: ReplicaId, connected: boolean, reason: string): void
  /** A member does not let this replica in, as it says. */
  peerRefuses(replica: ReplicaId, refusal: LinkRefusal): void
  clientFrame(connection: number, frame: Uint8Array): void
  clientOpened(connection: number, key: PublicKey): void
  clientClosed(connection: number): void
  /** One of the others threw: a bug of ours, which must not reach libp2p or a timer. */
  failed(cause: unknown): void
}

export interface ReplicaNetworkOptions {
  epoch: Epoch
  self: ReplicaId
  linkSecretKey: Uint8Array
  /** Multiaddresses to listen at. */
  listen: readonly string[]
  hello: Hello
  /** Which starts of the members were seen, for ever. */
  seen: SeenStarts
  clients: PermittedClients
  random: Random
  nowMs: () => number
  listener: ReplicaNetworkListener
}

/** New connections of one host in a second: a whole network on one machine starts at once. */
const inboundPerSecondMax = 256
/** Connections that have not shown a key yet. */
const inboundPendingMax = 128

export class ReplicaNetwork {
  readonly #options: ReplicaNetworkOptions
  readonly #members: ReadonlyMap<string, ReplicaId>
  readonly #permitted: ReadonlySet<string> | null
  readonly #peers: PeerLinks
  readonly #clients: ClientLinks
  readonly #inbound: InboundConnections
  #node: Libp2p | null = null
  #stopped = false
  #heartbeat: ReturnType<typeof setInterval> | null = null

  constructor(options: ReplicaNetworkOptions) {
    const { epoch, self, clients, hello, seen, random, nowMs, listener } = options
    this.#options = options
    this.#members = new Map(epoch.members.map((member) => [nameOfKey(member.linkKey), member.id]))
    this.#permitted = clients === 'anyone' ? null : new Set(clients.map((key) => nameOfKey(key)))
    this.#inbound = new InboundConnections(
      (key) => this.#members.has(nameOfKey(key)),
      (key) => this.#isPermitted(key),
    )
    const guard = (act: () => void): void => {
      try {
        act()
      } catch (cause) {
        listener.failed(cause)
      }
    }
    const protocol = streamProtocol(epoch.network, 'replica')
    this.#peers = new PeerLinks({
      self,
      members: epoch.members,
      protocol,
      hello,
      seen,
      random,
      nowMs,
      frame: (from, frame) => guard(() => listener.peerFrame(from, frame)),
      changed: (replica, connected, reason) => guard(() => listener.peerChanged(replica, connected, reason)),
      refused: (replica, refusal) => guard(() => listener.peerRefuses(replica, refusal)),
    })
    this.#clients = new ClientLinks({
      hello,
      nowMs,
      frame: (connection, frame) => guard(() => listener.clientFrame(connection, frame)),
      opened: (connection, key) => guard(() => listener.clientOpened(connection, key)),
      closed: (connection) => guard(() => listener.clientClosed(connection)),
    })
  }

  /** Rejects when an address cannot be listened at; nothing is left open then. */
  async start(): Promise<void> {
    const node = await this.#create()
    try {
      await this.#handle(node)
      await node.start()
      if (this.#stopped) throw new Error('stopped before it had started')
    } catch (error) {
      this.#peers.stop()
      this.#clients.stop()
      await stopNode(node)
      throw error
    }
    this.#node = node
    this.#peers.start(node)
    this.#heartbeat = setInterval(() => this.#tick(), peerLinkLimits.heartbeatMs)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat)
    this.#heartbeat = null
    this.#peers.stop()
    this.#clients.stop()
    const node = this.#node
    this.#node = null
    if (node !== null) await stopNode(node)
  }

  sendPeer(to: ReplicaId, frame: Uint8Array): void {
    this.#peers.send(to, frame)
  }

  sendClient(connection: number, frame: Uint8Array): void {
    this.#clients.send(connection, frame)
  }

  roundTripMs(peer: ReplicaId): number | null {
    return this.#peers.roundTripMs(peer)
  }

  /** What was over somebody's budget for this turn may come in the next. */
  endTurn(): void {
    this.#peers.endTurn()
    this.#clients.endTurn()
  }

  contacts(): PeerContact[] {
    return this.#peers.contacts()
  }

  get clientCount(): number {
    return this.#clients.count
  }

  /** Where it listens, ports chosen by the system included. */
  addresses(): string[] {
    return (this.#node?.getMultiaddrs() ?? []).map((address) => address.toString())
  }

  /** What may be asked for on a connection. */
  protocols(): string[] {
    return this.#node?.getProtocols() ?? []
  }

  /** Connections that were made to this replica. */
  get inboundCount(): number {
    return this.#inbound.count
  }

  async #create(): Promise<Libp2p> {
    const { epoch, linkSecretKey, listen } = this.#options
    return createLibp2p({
      ...sharedSettings(),
      privateKey: await privateKeyOf(linkSecretKey),
      addresses: { listen: [...listen] },
      transports: [tcp(), webSockets()],
      connectionGater: {
        ...diallerGater,
        denyInboundEncryptedConnection: (peer) => !this.#admits(peer),
      },
      connectionManager: {
        ...connectionSettings,
        // Above all that is admitted: libp2p must never choose whom to drop.
        maxConnections: clientConnectionsMax + epoch.members.length * (memberConnectionsMax + 1) + inboundPendingMax,
        inboundConnectionThreshold: inboundPerSecondMax,
        maxIncomingPendingConnections: inboundPendingMax,
      },
      start: false,
    })
  }

  async #handle(node: Libp2p): Promise<void> {
    const { network } = this.#options.epoch
    const one = { maxInboundStreams: 1, maxOutboundStreams: 1 }
    await node.handle(streamProtocol(network, 'replica'), (stream, from) => this.#acceptPeer(stream, from), one)
    await node.handle(streamProtocol(network, 'client'), (stream, from) => this.#acceptClient(stream, from), one)
    node.addEventListener('connection:open', ({ detail: connection }) => {
      const key = linkKeyOf(connection.remotePeer)
      if (connection.direction === 'outbound' || key === null) return
      this.#inbound.opened(connection, key, this.#options.nowMs())
    })
    node.addEventListener('connection:close', ({ detail: connection }) => this.#inbound.closed(connection))
    // libp2p remembers for ever whoever was there, and strangers have as many keys as they like.
    node.addEventListener('peer:disconnect', ({ detail: peer }) => {
      node.peerStore.delete(peer).catch(() => {})
    })
  }

  #tick(): void {
    this.#peers.tick()
    this.#clients.tick()
    this.#inbound.tick(this.#options.nowMs())
  }

  #admits(peer: PeerId): boolean {
    const key = linkKeyOf(peer)
    return key !== null && this.#inbound.admits(key)
  }

  #isPermitted(key: PublicKey): boolean {
    const name = nameOfKey(key)
    return this.#permitted === null || this.#permitted.has(name) || this.#members.has(name)
  }

  #acceptPeer(stream: Stream, connection: Connection): void {
    const key = linkKeyOf(connection.remotePeer)
    const replica = key === null ? undefined : this.#members.get(nameOfKey(key))
    if (replica === undefined) return connection.abort(new Error('not a member'))
    this.#inbound.used(connection)
    this.#peers.accept(replica, stream, connection)
  }

  #acceptClient(stream: Stream, connection: Connection): void {
    const key = linkKeyOf(connection.remotePeer)
    if (key === null || !this.#isPermitted(key)) return connection.abort(new Error('not permitted'))
    this.#inbound.used(connection)
    this.#clients.accept(key, stream, connection)
  }
}
