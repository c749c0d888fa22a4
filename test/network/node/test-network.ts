// Replicas' sockets on 127.0.0.1, at ports of the system, and clients of them: what the tests of links begin with.

import { createHash } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { ConnectionGater } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { afterEach, expect, vi } from 'vitest'
import { nodeEd25519 } from '../../../src/crypto/node/ed25519-suite.ts'
import { replicaId, type ReplicaId } from '../../../src/kernel/ids.ts'
import type { Epoch, Member } from '../../../src/kernel/membership.ts'
import { defaultParameters } from '../../../src/kernel/parameters.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { linkVersion } from '../../../src/network/link/link-frame.ts'
import type { ConnectedReplicas } from '../../../src/network/libp2p/connect-replicas.ts'
import { privateKeyOf } from '../../../src/network/libp2p/identity.ts'
import { connectionSettings, sharedSettings } from '../../../src/network/libp2p/settings.ts'
import { connectClient } from '../../../src/network/node/connect-client.ts'
import type { SeenStarts } from '../../../src/network/node/peer-links.ts'
import {
  ReplicaNetwork,
  type PermittedClients,
  type ReplicaNetworkOptions,
} from '../../../src/network/node/replica-network.ts'

/** Long: a machine may have much else to do. */
const waitMsMax = 60_000
vi.setConfig({ testTimeout: 2 * waitMsMax })

export const anyPort = '/ip4/127.0.0.1/tcp/0'
const open: { stop(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.stop()))
})

export function secretOf(name: string): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(name).digest())
}

export function keyOf(name: string): Uint8Array {
  return nodeEd25519.signer(secretOf(name)).publicKey
}

export function memberOf(id: number, addresses: string[] = []): Member {
  const name = `member ${id}`
  return {
    id: replicaId(id),
    name,
    role: 'voter',
    consensusKey: keyOf(`${name} consensus`),
    linkKey: keyOf(name),
    addresses,
    priority: 0,
  }
}

export function epochOf(members: Member[]): Epoch {
  const network = Uint8Array.from(secretOf('network'))
  return { network, number: 1, firstHeight: 1, protocol: 'raft', members, parameters: defaultParameters('required') }
}

export interface Seen {
  frames: { from: ReplicaId; body: Uint8Array }[]
  changes: string[]
  refusals: string[]
  clientFrames: { connection: number; body: Uint8Array }[]
  clients: Map<number, Uint8Array>
  failures: unknown[]
}

export interface Started extends Seen {
  network: ReplicaNetwork
  member: Member
  stop(): Promise<void>
}

export interface StartOptions {
  incarnation?: number
  process?: number
  /** Default: a memory that goes with this start. */
  seen?: SeenStarts
  listen?: readonly string[]
  clients?: PermittedClients
  listener?: Partial<ReplicaNetworkOptions['listener']>
}

/** What a replica keeps of the others' starts, kept by the test: `answers` says whether it comes to the disk at once. */
export function rememberedStarts(answers: (done: (error: { message: string } | null) => void) => void = setImmediate) {
  const starts = new Map<ReplicaId, { incarnation: number; process: Uint8Array }>()
  const seen: SeenStarts = {
    newest: (replica) => starts.get(replica) ?? null,
    note: (replica, start, done) => {
      starts.set(replica, start)
      answers((error) => done(error ?? null))
      return false
    },
  }
  return seen
}

/** Starts one member of `members`; its own addresses become where it listens. */
export async function startMember(id: number, members: Member[], options: StartOptions = {}): Promise<Started> {
  const seen: Seen = { frames: [], changes: [], refusals: [], clientFrames: [], clients: new Map(), failures: [] }
  const member = members.find((candidate) => candidate.id === id)!
  const network = new ReplicaNetwork({
    epoch: epochOf(members),
    self: replicaId(id),
    linkSecretKey: secretOf(member.name),
    listen: options.listen ?? (member.addresses.length > 0 ? member.addresses : [anyPort]),
    hello: {
      version: linkVersion,
      incarnation: options.incarnation ?? 1,
      process: new Uint8Array(16).fill(options.process ?? 0),
    },
    seen: options.seen ?? rememberedStarts(),
    clients: options.clients ?? 'anyone',
    random: createRandom(`test ${id}`),
    nowMs: () => performance.now(),
    listener: {
      peerFrame: (from, body) => seen.frames.push({ from, body }),
      peerChanged: (replica, connected, reason) => seen.changes.push(`${replica} ${connected} ${reason}`),
      peerRefuses: (by, { reason, incarnation }) => seen.refusals.push(`${by} ${reason} ${incarnation}`),
      clientFrame: (connection, body) => seen.clientFrames.push({ connection, body }),
      clientOpened: (connection, key) => seen.clients.set(connection, key),
      clientClosed: (connection) => seen.clients.delete(connection),
      failed: (cause) => seen.failures.push(cause),
      ...options.listener,
    },
  })
  const stop = (): Promise<void> => network.stop()
  open.push({ stop })
  await network.start()
  member.addresses = network.addresses().map((address) => address.replace(/\/p2p\/.*$/, ''))
  return { ...seen, network, member, stop }
}

/** The highest id first: whoever dials must know where the others are. */
export async function startMembers(count: number, options: StartOptions = {}): Promise<Started[]> {
  const members = Array.from({ length: count }, (_, index) => memberOf(index + 1))
  const started: Started[] = []
  for (let id = count; id >= 1; id--) started.unshift(await startMember(id, members, options))
  return started
}

export interface StartedClient {
  links: ConnectedReplicas
  connected: Set<ReplicaId>
  reasons: string[]
  responses: { from: ReplicaId; body: Uint8Array }[]
}

export function startClient(name: string, members: Member[]): StartedClient {
  const connected = new Set<ReplicaId>()
  const reasons: string[] = []
  const responses: StartedClient['responses'] = []
  const links = connectClient({
    epoch: epochOf(members),
    secretKey: secretOf(name),
    random: createRandom(name),
    nowMs: () => performance.now(),
    listener: {
      connected: (replica) => connected.add(replica),
      disconnected: (replica, reason) => {
        connected.delete(replica)
        reasons.push(reason)
      },
      response: (from, body) => responses.push({ from, body }),
    },
  })
  open.push(links)
  return { links, connected, reasons, responses }
}

/** What was started last, be it on its way. */
export function stopLast(): Promise<void> {
  return open.at(-1)!.stop()
}

/** A libp2p node with the settings of ours and a mind of its own. */
export async function startNode(name: string, gater: ConnectionGater = {}, listen = [anyPort]): Promise<Libp2p> {
  const node = await createLibp2p({
    ...sharedSettings(),
    privateKey: await privateKeyOf(secretOf(name)),
    addresses: { listen },
    transports: [tcp()],
    connectionManager: connectionSettings,
    connectionGater: { denyDialMultiaddr: () => false, ...gater },
  })
  open.push({ stop: async () => node.stop() })
  return node
}

export function addressesOf(node: Libp2p): string[] {
  return node.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/.*$/, ''))
}

/** The address of somebody who accepts connections and never says a word. */
export async function startDeafServer(): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  return `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`
}

/** Waits for what must come: at the latest when the test's own time is up. */
export async function until(what: () => boolean): Promise<void> {
  await expect.poll(what, { interval: 5, timeout: waitMsMax }).toBe(true)
}

export const isConnected = ({ network }: Started, to: number): boolean =>
  network.contacts().some(({ replica, connected }) => replica === to && connected)
