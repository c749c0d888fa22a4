// Four ways to read, on real processes over libp2p with durable logs: ordered like a write, by ReadIndex, under a lease, and locally.
// Operations a second, latency, and CPU of the leader, of the followers and of the client for 1,000 reads.
// `node .tools/bench/reads.js [--dir DIR] [--seconds 5] [--rounds 3] [--json]`; the ways are interleaved, round by round.

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
type Way = 'ordered' | 'read-index' | 'lease' | 'local'

interface Row {
  way: Way
  outstanding: number
  readsPerSecond: number
  p50Ms: number
  p99Ms: number
  /** CPU milliseconds for 1,000 reads. */
  cpuLeader: number
  cpuFollowers: number
  cpuClient: number
}

interface Running {
  client: StoreClient
  leaderPid: number
  followerPids: number[]
  stop: () => Promise<void>
}

const ways: readonly Way[] = ['ordered', 'read-index', 'lease', 'local']
const keys = 1_000
const valueBytes = 128
/** Clocks of one machine run at one pace; a deployment states its own bound. */
const leaseDriftPerMille = 10

const { values } = parseArgs({
  options: {
    dir: { type: 'string', default: '.' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    outstanding: { type: 'string', default: '1,16,256' },
    json: { type: 'boolean', default: false },
  },
})

const parent = mkdtempSync(join(values.dir, '.reads-bench-'))
const rows: Row[] = []
try {
  // One network for leases and one for all else: who must ask a quorum is a parameter of the network.
  const asking = await start('asking', {})
  const leasing = await start('leasing', { raft: { leaseDriftPerMille } })
  try {
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const outstanding of values.outstanding.split(',').map(Number)) {
        for (const way of ways) rows.push(await measure(way === 'lease' ? leasing : asking, way, outstanding))
      }
    }
  } finally {
    await asking.stop()
    await leasing.stop()
  }
} finally {
  rmSync(parent, { recursive: true, force: true })
}
print(medians(rows))

async function start(name: string, parameters: object): Promise<Running> {
  const dir = join(parent, name)
  const network = { dir, name, protocol: 'raft', replicas: 3, host: '127.0.0.1', parameters } as const
  const local = await createLocalNetwork(network)
  const supervisor = new Supervisor({ networkPath: local.networkPath, app: '', said: () => {} })
  const ids = local.network.epoch.members.map((member) => member.id)
  const pids = new Map(ids.map((id) => [id, supervisor.start(id, replicaFolder(dir, id)).pid]))
  const client = createClient({ network: local.networkPath, key: local.clientKeyPath, stateMachine: keyValueStore })
  const stop = async (): Promise<void> => {
    await client.close()
    await supervisor.stop()
  }
  try {
    const value = new Uint8Array(valueBytes)
    await Promise.all(
      Array.from({ length: keys }, (_, index) => client.submit({ kind: 'put', key: keyOf(index), value, lease: 0 })),
    )
    await client.ready({ replicas: ids.length })
    const leader = await leaderOf(client)
    const followerPids = [...pids].filter(([id]) => id !== leader).map(([, pid]) => pid)
    return { client, leaderPid: pids.get(leader as never)!, followerPids, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function leaderOf(client: StoreClient): Promise<number> {
  for (const replica of client.connected()) {
    const { role } = JSON.parse((await client.status(replica)) ?? '{}') as { role?: string }
    if (role === 'leader') return replica
  }
  throw new Error('nobody leads')
}

async function measure(running: Running, way: Way, outstanding: number): Promise<Row> {
  const { client, leaderPid, followerPids } = running
  const latencies: number[] = []
  const cpuOf = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0)
  const before = { leader: cpuOf([leaderPid]), followers: cpuOf(followerPids), own: process.cpuUsage() }
  const startedMs = performance.now()
  const untilMs = startedMs + Number(values.seconds) * 1000
  const loop = async (number: number): Promise<void> => {
    for (let count = number; performance.now() < untilMs; count += outstanding) {
      const sentMs = performance.now()
      await read(client, way, keyOf(count % keys))
      latencies.push(performance.now() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: outstanding }, (_, number) => loop(number)))
  const elapsed = (performance.now() - startedMs) / 1000
  const own = process.cpuUsage(before.own)
  latencies.sort((left, right) => left - right)
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)]!
  const perThousand = (seconds: number): number => round((seconds * 1_000_000) / latencies.length)
  return {
    way,
    outstanding,
    readsPerSecond: Math.round(latencies.length / elapsed),
    p50Ms: round(at(0.5)),
    p99Ms: round(at(0.99)),
    cpuLeader: perThousand(cpuOf([leaderPid]) - before.leader),
    cpuFollowers: perThousand(cpuOf(followerPids) - before.followers),
    cpuClient: perThousand((own.user + own.system) / 1e6),
  }
}

async function read(client: StoreClient, way: Way, key: Uint8Array): Promise<void> {
  if (way === 'ordered') await client.submit({ kind: 'get', key })
  else await client.query({ kind: 'get', key }, { consistency: way === 'local' ? 'local' : 'linearizable' })
}

function keyOf(index: number): Uint8Array {
  return new TextEncoder().encode(`key-${index}`)
}

function medians(all: readonly Row[]): Row[] {
  const groups = new Map<string, Row[]>()
  for (const row of all) {
    const name = `${row.way} ${row.outstanding}`
    groups.set(name, [...(groups.get(name) ?? []), row])
  }
  return [...groups.values()].map((group) => {
    const median = (of: (row: Row) => number): number =>
      group.map(of).sort((left, right) => left - right)[group.length >> 1]!
    return {
      way: group[0]!.way,
      outstanding: group[0]!.outstanding,
      readsPerSecond: median((row) => row.readsPerSecond),
      p50Ms: median((row) => row.p50Ms),
      p99Ms: median((row) => row.p99Ms),
      cpuLeader: median((row) => row.cpuLeader),
      cpuFollowers: median((row) => row.cpuFollowers),
      cpuClient: median((row) => row.cpuClient),
    }
  })
}

function print(figures: readonly Row[]): void {
  if (values.json) return void process.stdout.write(`${JSON.stringify({ rows: figures, all: rows })}\n`)
  process.stdout.write(
    'way         outstanding  reads/s  p50 ms  p99 ms  CPU ms per 1,000 reads: leader  followers  client\n',
  )
  for (const row of figures) {
    const cells = [row.way.padEnd(10), String(row.outstanding).padStart(12), String(row.readsPerSecond).padStart(8)]
    cells.push(String(row.p50Ms).padStart(7), String(row.p99Ms).padStart(7), String(row.cpuLeader).padStart(31))
    cells.push(String(row.cpuFollowers).padStart(10), String(row.cpuClient).padStart(7))
    process.stdout.write(`${cells.join(' ')}\n`)
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
