// Our own protocols: real processes over libp2p with durable logs, as `quorate up` runs them, and the public client.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient, type Client } from '../../client/node.ts'
import { createLocalNetwork, replicaFolder, type LocalNetwork } from '../../cli/setup/local-network.ts'
import { packageVersion } from '../../cli/package.ts'
import { Supervisor, type SupervisedReplica } from '../../cli/supervisor.ts'
import type { StoreCommand, StoreQuery } from '../../execution/store/commands.ts'
import { keyValueStore } from '../../execution/store/key-value-store.ts'
import type { StoreResult } from '../../execution/store/results.ts'
import type { ProtocolName } from '../../kernel/ids.ts'
import { QuorateError } from '../../kernel/quorate-error.ts'
import type { Counters, RunningSystem, Setup, System, SystemClient } from '../system.ts'
import { countersOf, type StatusReport } from './quorate-counters.ts'
import { whenReady } from './when-ready.ts'

type StoreClient = Client<StoreCommand, StoreQuery, StoreResult>

interface Variant {
  name: string
  protocol: ProtocolName
  parameters?: object
}

const variants: readonly Variant[] = [
  { name: 'raft', protocol: 'raft' },
  { name: 'pbft', protocol: 'pbft' },
  { name: 'hotstuff', protocol: 'hotstuff' },
  { name: 'hotstuff/three-chain', protocol: 'hotstuff', parameters: { hotstuff: { rule: 'three-chain' } } },
]

export const quorateSystems: readonly System[] = variants.map((variant) => ({
  name: variant.name,
  version: () => Promise.resolve(`quorate ${packageVersion()} on Node ${process.version.slice(1)}`),
  start: (setup) => start(variant, setup),
}))

const readyMsMax = 60_000
/** New connections of one host that a replica lets in at once are limited: so many clients connect together. */
const clientsTogether = 32
const linesKept = 5
/** What the first replica does when it lies, wherever it leads: it tells each half of the others something else. */
const lie = 'equivocating-proposals'
const liarPath = fileURLToPath(new URL('../lies/lying-replica-program.js', import.meta.url))
/** Where a leader is told of; nobody leads for longer than a view under the other. */
const led: readonly ProtocolName[] = ['raft', 'pbft']

async function start(
  { protocol, parameters }: Variant,
  { dir, replicas, liar = false }: Setup,
): Promise<RunningSystem> {
  const local = await createLocalNetwork({
    dir: join(dir, 'network'),
    name: 'bench',
    protocol,
    replicas,
    host: '127.0.0.1',
    ...(parameters === undefined ? {} : { parameters }),
  })
  return whenReady(new RunningQuorate(local, liar && protocol !== 'raft'))
}

class RunningQuorate implements RunningSystem {
  readonly processes: readonly { name: string; pid: number }[]
  readonly lie?: () => void
  readonly #local: LocalNetwork
  readonly #supervisor: Supervisor
  readonly #replicas: readonly SupervisedReplica[]
  /** Asks for statuses, and has no part in the load. */
  readonly #observer: StoreClient
  readonly #said: string[] = []

  constructor(local: LocalNetwork, liar: boolean) {
    this.#local = local
    this.#supervisor = new Supervisor({
      networkPath: local.networkPath,
      app: '',
      said: (id, event) => {
        if (typeof event === 'string' && this.#said.push(`${id}: ${event}`) > linesKept) this.#said.shift()
      },
      // Clients with keys of their own, as many as a point asks for.
      more: ['--clients', 'anyone'],
    })
    this.#replicas = local.network.epoch.members.map(({ id }, index) => {
      const folder = replicaFolder(local.dir, id)
      if (!liar || index > 0) return this.#supervisor.start(id, folder)
      return this.#supervisor.startProgram(id, folder, [liarPath, folder, local.networkPath, lie])
    })
    if (liar) this.lie = () => void process.kill(this.#replicas[0]!.pid, 'SIGUSR2')
    this.processes = this.#replicas.map(({ id, pid }) => ({ name: `replica-${id}`, pid }))
    this.#observer = this.#client()
  }

  /** All replicas answer, and one operation has been executed. */
  async ready(): Promise<void> {
    const command: StoreCommand = { kind: 'get', key: new TextEncoder().encode('ready') }
    const areAll = await this.#observer.ready({ replicas: this.processes.length, deadlineMs: readyMsMax })
    if (!areAll) throw this.#notStarted('not all replicas answer')
    await this.#observer.submit(command, { deadlineMs: readyMsMax }).catch((cause: unknown) => {
      throw this.#notStarted(String(cause))
    })
  }

  async connect(clients: number): Promise<SystemClient[]> {
    const connected: StoreClient[] = []
    while (connected.length < clients) {
      const together = Math.min(clientsTogether, clients - connected.length)
      const next = Array.from({ length: together }, () => this.#client())
      connected.push(...next)
      await Promise.all(next.map((client) => this.#everywhere(client)))
    }
    return connected.map((client) => new QuorateClient(client))
  }

  async counters(): Promise<(Counters | null)[]> {
    return (await this.#statuses()).map((status) => (status === null ? null : countersOf(status)))
  }

  async leader(): Promise<number | null> {
    if (!led.includes(this.#local.network.epoch.protocol)) return null
    const statuses = await this.#statuses()
    // The newest view's word counts: whoever was deposed and has not noticed says something else.
    const [newest] = statuses.filter((status) => status !== null).sort((left, right) => right.view - left.view)
    const leader = this.#replicas.findIndex(({ id }) => id === newest?.leader)
    return leader < 0 ? null : leader
  }

  async stop(): Promise<void> {
    await this.#observer.close()
    await this.#supervisor.stop()
  }

  #client(): StoreClient {
    const key = { secretKey: Uint8Array.from(randomBytes(32)) }
    return createClient({ network: this.#local.network, key, stateMachine: keyValueStore })
  }

  /** Whoever is not connected to all at first would be for part of the time. */
  async #everywhere(client: StoreClient): Promise<void> {
    const running = this.#supervisor.running
    if (await client.ready({ replicas: running, deadlineMs: readyMsMax })) return
    throw this.#notStarted('a client cannot connect to all replicas')
  }

  #statuses(): Promise<(StatusReport | null)[]> {
    return Promise.all(
      this.#replicas.map(async ({ id }) => {
        const report = await this.#observer.status(id)
        return report === null ? null : (JSON.parse(report) as StatusReport)
      }),
    )
  }

  #notStarted(what: string): QuorateError {
    const said = this.#said.length === 0 ? 'they say nothing' : this.#said.join(' | ')
    return new QuorateError('ERR_SYSTEM_NOT_STARTED', `${what} (${said}): look at what they say, and try again`)
  }
}

/** A lease of none, and linearizable reads: the defaults. */
class QuorateClient implements SystemClient {
  readonly #client: StoreClient

  constructor(client: StoreClient) {
    this.#client = client
  }

  put(key: Uint8Array, value: Uint8Array): Promise<unknown> {
    return this.#client.submit({ kind: 'put', key, value, lease: 0 })
  }

  get(key: Uint8Array): Promise<unknown> {
    return this.#client.query({ kind: 'get', key })
  }

  putAll(entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Promise<unknown> {
    const success = entries.map(([key, value]) => ({ kind: 'put', key, value, lease: 0 }) as const)
    return this.#client.submit({ kind: 'transaction', compares: [], success, failure: [] })
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}
