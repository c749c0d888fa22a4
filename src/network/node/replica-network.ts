/**
 * The sockets of one replica: libp2p over TCP (and WebSockets for browsers) with Noise and yamux. Members and permitted clients get
 * in; everyone else is refused in the gater, when the handshake has shown a key and before any protocol runs.
 */

import './promise-with-resolvers.ts'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { createLibp2p, type Libp2p } from 'libp2p'
import type { PublicKey } from '../../kernel/crypto-ports.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { Random } from '../../kernel/random.ts'
import type { Hello } from '../link/link-frame.ts'
import { linkKeyOf, privateKeyOf } from '../libp2p/identity.ts'
import { connectionSettings, sharedSettings, streamProtocol } from '../libp2p/settings.ts'
import { clientConnectionsMax, ClientLinks } from './client-links.ts'
import { PeerLinks, type PeerContact } from './peer-links.ts'

/** Who besides the members may connect. */
export type PermittedClients = 'anyone' | readonly PublicKey[]

export interface ReplicaNetworkListener {
  peerFrame(from: ReplicaId, frame: Uint8Array): void
  peerChanged(replica: ReplicaId, connected: boolean, reason: string): void
  clientFrame(connection: number, frame: Uint8Array): void
  clientOpened(connection: number, key: PublicKey): void
  clientClosed(connection: number): void
}

export interface ReplicaNetworkOptions {
  epoch: Epoch
  self: ReplicaId
  linkSecretKey: Uint8Array
  /** Multiaddresses to listen at. */
  listen: readonly string[]
  hello: Hello
  clients: PermittedClients
  random: Random
  nowMs: () => number
  listener: ReplicaNetworkListener
}

/** How often links are asked for a sign of life. */
export const heartbeatMs = 1_000
/** New connections of one host in a second: a whole network on one machine starts at once. */
const inboundPerSecondMax = 256
/** Connections that have not shown a key yet. */
const inboundPendingMax = 128
/** What libp2p may take to stop before it is left alone. */
const stopMsMax = 2_000

export class ReplicaNetwork {
  readonly #options: ReplicaNetworkOptions
  readonly #members: ReadonlyMap<string, ReplicaId>
  readonly #permitted: ReadonlySet<string> | null
  readonly #peers: PeerLinks
  readonly #clients: ClientLinks
  #node: Libp2p | null = null
  #heartbeat: ReturnType<typeof setInterval> | null = null

  constructor(options: ReplicaNetworkOptions) {
    const { epoch, self, clients, hello, random, nowMs, listener } = options
    this.#options = options
    this.#members = new Map(epoch.members.map((member) => [hex(member.linkKey), member.id]))
    this.#permitted = clients === 'anyone' ? null : new Set(clients.map((key) => hex(key)))
    const protocol = streamProtocol(epoch.network, 'replica')
    this.#peers = new PeerLinks({
      self,
      members: epoch.members,
      protocol,
      hello,
      random,
      nowMs,
      frame: (from, frame) => listener.peerFrame(from, frame),
      changed: (replica, connected, reason) => listener.peerChanged(replica, connected, reason),
    })
    this.#clients = new ClientLinks({
      hello,
      nowMs,
      frame: (connection, frame) => listener.clientFrame(connection, frame),
      opened: (connection, key) => listener.clientOpened(connection, key),
      closed: (connection) => listener.clientClosed(connection),
    })
  }

  /** Rejects when an address cannot be listened at. */
  async start(): Promise<void> {
    const { epoch, linkSecretKey, listen } = this.#options
    const members = epoch.members.length
    const node = await createLibp2p({
      ...sharedSettings(),
      privateKey: await privateKeyOf(linkSecretKey),
      addresses: { listen: [...listen] },
      transports: [tcp(), webSockets()],
      connectionGater: {
        denyInboundEncryptedConnection: (peer) => !this.#admits(peer),
      },
      connectionManager: {
        ...connectionSettings,
        // Above all that the gater admits: libp2p must never choose whom to drop.
        maxConnections: 2 * (members + clientConnectionsMax) + inboundPendingMax,
        inboundConnectionThreshold: inboundPerSecondMax,
        maxIncomingPendingConnections: inboundPendingMax,
      },
      start: false,
    })
    const handler = { maxInboundStreams: 1, maxOutboundStreams: 1 }
    await node.handle(
      streamProtocol(epoch.network, 'replica'),
      (stream, link) => this.#acceptPeer(stream, link),
      handler,
    )
    await node.handle(
      streamProtocol(epoch.network, 'client'),
      (stream, link) => this.#acceptClient(stream, link),
      handler,
    )
    await node.start()
    this.#node = node
    this.#peers.start(node)
    this.#heartbeat = setInterval(() => {
      this.#peers.tick()
      this.#clients.tick()
    }, heartbeatMs)
  }

  async stop(): Promise<void> {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat)
    this.#heartbeat = null
    this.#peers.stop()
    this.#clients.stop()
    const node = this.#node
    this.#node = null
    if (node === null) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, stopMsMax)))
    await Promise.race([Promise.resolve(node.stop()).catch(() => {}), patience])
    clearTimeout(timer)
  }

  sendPeer(to: ReplicaId, frame: Uint8Array): void {
    this.#peers.send(to, frame)
  }

  sendClient(connection: number, frame: Uint8Array): void {
    this.#clients.send(connection, frame)
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

  #admits(peer: PeerId): boolean {
    const key = linkKeyOf(peer)
    if (key === null) return false
    if (this.#members.has(hex(key))) return true
    return this.#isPermitted(key) && this.#clients.hasRoomFor(key)
  }

  #isPermitted(key: PublicKey): boolean {
    return this.#permitted === null || this.#permitted.has(hex(key)) || this.#members.has(hex(key))
  }

  #acceptPeer(stream: Stream, connection: Connection): void {
    const key = linkKeyOf(connection.remotePeer)
    const replica = key === null ? undefined : this.#members.get(hex(key))
    if (replica === undefined) connection.abort(new Error('not a member'))
    else this.#peers.accept(replica, stream, connection)
  }

  #acceptClient(stream: Stream, connection: Connection): void {
    const key = linkKeyOf(connection.remotePeer)
    if (key === null || !this.#isPermitted(key)) connection.abort(new Error('not permitted'))
    else this.#clients.accept(key, stream, connection)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
