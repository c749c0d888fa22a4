// etcd, as Debian packages it: members on this machine with its default settings, and a client that costs less than they do.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts } from '../../cli/setup/free-ports.ts'
import { QuorateError } from '../../kernel/quorate-error.ts'
import type { Counters, RunningSystem, Setup, System, SystemClient } from '../system.ts'
import { checkPerf } from './etcd/check-perf.ts'
import { EtcdClient } from './etcd/client.ts'
import { MemberProcess, type MemberPorts } from './etcd/member-process.ts'
import { readMetrics } from './etcd/metrics.ts'
import { whenReady } from './when-ready.ts'

const readyMsMax = 60_000
const pollMs = 100

export const etcd: System = { name: 'etcd', version, start }

async function version(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('etcd', ['--version'])
    return `etcd ${/^etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'of an unknown version'}`
  } catch (cause) {
    const message = 'etcd is not there to compare with: apt-get install etcd-server, or leave it out'
    throw new QuorateError('ERR_SYSTEM_MISSING', message, { cause })
  }
}

async function start({ dir, replicas }: Setup): Promise<RunningSystem> {
  const free = await freePorts('127.0.0.1', 2 * replicas)
  const ports = Array.from({ length: replicas }, (_, member) => ({
    client: free[2 * member]!,
    peer: free[2 * member + 1]!,
  }))
  const members = ports.map((_, member) => new MemberProcess(member, join(dir, `member-${member + 1}`), ports))
  return whenReady(new RunningEtcd(members, ports))
}

class RunningEtcd implements RunningSystem {
  readonly processes: readonly MemberProcess[]
  readonly #ports: readonly MemberPorts[]

  constructor(processes: readonly MemberProcess[], ports: readonly MemberPorts[]) {
    this.processes = processes
    this.#ports = ports
  }

  /** Somebody leads. */
  async ready(): Promise<void> {
    const untilMs = performance.now() + readyMsMax
    while ((await this.leader()) === null) {
      const ended = this.processes.find(({ hasEnded }) => hasEnded)
      if (ended === undefined && performance.now() < untilMs) await setTimeout(pollMs)
      else throw notStarted(ended ?? this.processes[0]!)
    }
  }

  async connect(clients: number): Promise<SystemClient[]> {
    const ports = this.#ports.map(({ client }) => client)
    const leader = (await this.leader()) ?? 0
    return Array.from({ length: clients }, () => new EtcdClient(ports, leader))
  }

  counters(): Promise<(Counters | null)[]> {
    return Promise.all(this.#ports.map(({ client }) => countersAt(client)))
  }

  async leader(): Promise<number | null> {
    const all = await Promise.all(this.#ports.map(({ client }) => readMetrics(client)))
    const leader = all.findIndex((metrics) => metrics?.('etcd_server_is_leader') === 1)
    return leader < 0 ? null : leader
  }

  check(): Promise<string> {
    return checkPerf(this.#ports.map(({ client }) => client))
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((member) => member.stop()))
  }
}

/** Its log and its database sync by themselves. */
async function countersAt(port: number): Promise<Counters | null> {
  const metrics = await readMetrics(port)
  if (metrics === null) return null
  const logSyncs = metrics('etcd_disk_wal_fsync_duration_seconds_count')
  const databaseSyncs = metrics('etcd_disk_backend_commit_duration_seconds_count')
  return {
    fsyncs: logSyncs + databaseSyncs,
    framesSent: null,
    bytesSent: metrics('etcd_network_peer_sent_bytes_total'),
    messagesSent: null,
    signaturesMade: 0,
    signaturesChecked: 0,
    eventLoopDelayP99Ms: null,
  }
}

function notStarted({ name, lastWords }: MemberProcess): QuorateError {
  const said = lastWords === '' ? 'it said nothing' : lastWords
  return new QuorateError('ERR_SYSTEM_NOT_STARTED', `${name} does not serve (${said}): try again, or leave etcd out`)
}
