// Three real processes over libp2p with durable logs, driven by a client in this process: operations a second, latency, CPU of each
// process. `node .tools/bench/network.js [--dir DIR] [--seconds 5] [--json]`; the folder decides which disk is measured.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient, type Client } from '../src/client/node.ts'
import { createLocalNetwork, replicaFolder } from '../src/cli/setup/local-network.ts'
import { Supervisor } from '../src/cli/supervisor.ts'
import type { StoreCommand, StoreQuery } from '../src/execution/store/commands.ts'
import { keyValueStore } from '../src/execution/store/key-value-store.ts'
import type { StoreResult } from '../src/execution/store/results.ts'
import { cpuSecondsOf } from '../src/benchmark/process-cpu.ts'

type StoreClient = Client<StoreCommand, StoreQuery, StoreResult>

interface Figures {
  kind: 'put' | 'get'
  outstanding: number
  operationsPerSecond: number
  p50Ms: number
  p99Ms: number
  /** CPU seconds a second: of each replica, and of the client. */
  cpuReplicas: number[]
  cpuClient: number
  /** Groups that the leader's log synced, for each operation. */
  groupsPerOperation: number
}

const valueBytes = 100

const { values } = parseArgs({
  options: {
    dir: { type: 'string', default: '.' },
    seconds: { type: 'string', default: '5' },
    replicas: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})

const parent = mkdtempSync(join(values.dir, '.network-bench-'))
const dir = join(parent, 'network')
const local = await createLocalNetwork({
  dir,
  name: 'bench',
  protocol: 'raft',
  replicas: Number(values.replicas),
  host: '127.0.0.1',
})
const supervisor = new Supervisor({ networkPath: local.networkPath, app: '', said: () => {} })
try {
  const ids = local.network.epoch.members.map((member) => member.id)
  const pids = ids.map((id) => supervisor.start(id, replicaFolder(dir, id)).pid)
  const client = createClient({ network: local.networkPath, key: local.clientKeyPath, stateMachine: keyValueStore })
  const rows: Figures[] = []
  await drive(client, 'put', 16, 1, pids)
  for (const kind of ['put', 'get'] as const) {
    for (const outstanding of [1, 16, 256])
      rows.push(await drive(client, kind, outstanding, Number(values.seconds), pids))
  }
  await client.close()
  print(rows)
} finally {
  await supervisor.stop()
  rmSync(parent, { recursive: true, force: true })
}

async function drive(
  client: StoreClient,
  kind: Figures['kind'],
  outstanding: number,
  seconds: number,
  pids: readonly number[],
): Promise<Figures> {
  const latencies: number[] = []
  const untilMs = performance.now() + seconds * 1000
  const before = { cpu: pids.map((pid) => cpuSecondsOf(pid)), own: process.cpuUsage(), groups: await groupsOf(client) }
  const startedMs = performance.now()
  const loop = async (number: number): Promise<void> => {
    for (let count = 0; performance.now() < untilMs; count++) {
      const key = new TextEncoder().encode(`key-${number}-${count % 100}`)
      const sentMs = performance.now()
      if (kind === 'put') await client.submit({ kind, key, value: new Uint8Array(valueBytes), lease: 0 })
      else await client.query({ kind, key })
      latencies.push(performance.now() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: outstanding }, (_, number) => loop(number)))
  const elapsed = (performance.now() - startedMs) / 1000
  const own = process.cpuUsage(before.own)
  latencies.sort((left, right) => left - right)
  const at = (share: number): number =>
    round(latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!)
  return {
    kind,
    outstanding,
    operationsPerSecond: Math.round(latencies.length / elapsed),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuReplicas: pids.map((pid, index) => round((cpuSecondsOf(pid) - before.cpu[index]!) / elapsed)),
    cpuClient: round((own.user + own.system) / 1e6 / elapsed),
    groupsPerOperation: round(((await groupsOf(client)) - before.groups) / latencies.length),
  }
}

/** Of whoever leads. */
async function groupsOf(client: StoreClient): Promise<number> {
  await client.ready({ replicas: Number(values.replicas) })
  for (const replica of client.connected()) {
    const status = JSON.parse((await client.status(replica)) ?? '{}') as { role?: string; log?: { groups: number } }
    if (status.role === 'leader') return status.log?.groups ?? 0
  }
  return 0
}

function print(rows: readonly Figures[]): void {
  if (values.json) return void process.stdout.write(`${JSON.stringify(rows)}\n`)
  process.stdout.write('kind  outstanding  ops/s  p50 ms  p99 ms  CPU replicas      CPU client  groups/op\n')
  for (const row of rows) {
    const cells = [
      row.kind.padEnd(4),
      String(row.outstanding).padStart(12),
      String(row.operationsPerSecond).padStart(6),
    ]
    cells.push(String(row.p50Ms).padStart(7), String(row.p99Ms).padStart(7), ` ${row.cpuReplicas.join(' ')}`.padEnd(18))
    process.stdout.write(
      `${cells.join(' ')}${String(row.cpuClient).padStart(10)}${String(row.groupsPerOperation).padStart(11)}\n`,
    )
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
