// How long a replica takes to be there again, and how much memory at its peak: from a long log, and from a large snapshot.
// `node .tools/bench/recovery.js [--dir DIR] [--mebibytes 1024] [--json]`. A network of three is filled; then one of them is ended and
// started again, in a process of its own, while the others run on.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  createLocalNetwork,
  dataFolderName,
  localNetworkFileName,
  replicaFolder,
} from '../src/cli/setup/local-network.ts'
import { keyValueStore } from '../src/execution/store/key-value-store.ts'
import { createClient, type Client } from '../src/client/node.ts'
import { Supervisor } from '../src/cli/supervisor.ts'
import type { StoreCommand, StoreQuery } from '../src/execution/store/commands.ts'
import type { StoreResult } from '../src/execution/store/results.ts'
import type { ReplicaStatus } from '../src/replica/replica.ts'
import { createReplica } from '../src/replica/create-replica.ts'

type StoreClient = Client<StoreCommand, StoreQuery, StoreResult>
type What = 'log' | 'snapshot'

interface Recovery {
  what: What
  logMebibytes: number
  snapshotMebibytes: number
  stateMebibytes: number
  /** Until it listens, and until it has executed what it had executed before. */
  startedMs: number
  caughtUpMs: number
  peakMebibytes: number
  /** After a collection, when it has caught up. */
  restingMebibytes: number
}

const mebibyte = 1024 * 1024
const outstanding = 64
/** A long log over a small state, and a large state with hardly any log. */
const shapes = {
  log: { valueBytes: 16 * 1024, keys: 1_024, intervalHeights: 1_000_000 },
  snapshot: { valueBytes: 1_024, keys: Infinity, intervalHeights: 1_024 },
} as const

const { values } = parseArgs({
  options: {
    dir: { type: 'string', default: '.' },
    mebibytes: { type: 'string', default: '1024' },
    json: { type: 'boolean', default: false },
    step: { type: 'string', default: 'all' },
    what: { type: 'string', default: 'log' },
    height: { type: 'string', default: '0' },
  },
})

const bytesMax = Number(values.mebibytes) * mebibyte
if (values.step === 'start') await start(values.dir, values.what as What, Number(values.height))
else await measureAll()

async function measureAll(): Promise<void> {
  const parent = mkdtempSync(join(values.dir, '.recovery-bench-'))
  try {
    const rows: Recovery[] = []
    for (const what of ['log', 'snapshot'] as const) rows.push(await measure(join(parent, what), what))
    print(rows)
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

async function measure(dir: string, what: What): Promise<Recovery> {
  const parameters = { checkpoints: { intervalHeights: shapes[what].intervalHeights } }
  const network = { dir, name: what, protocol: 'raft', replicas: 3, host: '127.0.0.1', parameters } as const
  const local = await createLocalNetwork(network)
  const supervisor = new Supervisor({ networkPath: local.networkPath, app: '', said: () => {} })
  const ids = local.network.epoch.members.map((member) => member.id)
  const started = ids.map((id) => supervisor.start(id, replicaFolder(dir, id)))
  const client = createClient({ network: local.networkPath, key: local.clientKeyPath, stateMachine: keyValueStore })
  try {
    await fill(client, what)
    const height = await heightOf(client, what)
    process.kill(started[0]!.pid, 'SIGTERM')
    await started[0]!.ended
    const recovery = JSON.parse(startAgain(dir, what, height)) as Recovery
    rmSync(join(replicaFolder(dir, 1), dataFolderName), { recursive: true, force: true })
    return recovery
  } finally {
    await client.close()
    await supervisor.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

function startAgain(dir: string, what: What, height: number): string {
  const script = fileURLToPath(import.meta.url)
  const args = ['--expose-gc', script, '--step', 'start', '--dir', dir, '--what', what, '--height', String(height)]
  return execFileSync(process.execPath, [...args, '--mebibytes', values.mebibytes], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function fill(client: StoreClient, what: What): Promise<void> {
  const { valueBytes, keys } = shapes[what]
  const count = Math.floor(bytesMax / valueBytes)
  const loop = async (first: number): Promise<void> => {
    for (let index = first; index < count; index += outstanding) {
      const value = new Uint8Array(valueBytes)
      new DataView(value.buffer).setUint32(0, index)
      const key = new TextEncoder().encode(`key-${index % keys}`)
      await client.submit({ kind: 'put', key, value, lease: 0 }, { deadlineMs: 60_000 })
    }
  }
  await Promise.all(Array.from({ length: outstanding }, (_, first) => loop(first)))
}

/** What replica 1 has executed when nothing happens any more, snapshots included. */
async function heightOf(client: StoreClient, what: What): Promise<number> {
  for (let quiet = 0, last = ''; ; await new Promise((resolve) => setTimeout(resolve, 500))) {
    const report = await client.status(1 as never)
    if (report === null) continue
    const { executedHeight, checkpoints } = JSON.parse(report) as ReplicaStatus
    const now = `${executedHeight} ${checkpoints.stableHeight}`
    quiet = now === last ? quiet + 1 : 0
    last = now
    if (quiet >= 8 && (what === 'log' || checkpoints.stableHeight > 0)) return executedHeight
  }
}

function open(dir: string) {
  const folder = replicaFolder(dir, 1)
  return createReplica({
    network: join(dir, localNetworkFileName),
    identity: folder,
    dataDir: join(folder, dataFolderName),
    stateMachine: keyValueStore,
  })
}

async function start(dir: string, what: What, height: number): Promise<void> {
  const data = join(replicaFolder(dir, 1), dataFolderName)
  const sizes = { log: sizeOf(join(data, 'log')), snapshot: sizeOf(join(data, 'snapshots')) }
  const beganMs = performance.now()
  const replica = await open(dir)
  const startedMs = performance.now() - beganMs
  while (replica.status().executedHeight < height) await new Promise((resolve) => setTimeout(resolve, 10))
  const caughtUpMs = performance.now() - beganMs
  const peak = peakBytes()
  globalThis.gc?.()
  const { valueBytes, keys } = shapes[what]
  const entries = Math.min(keys, Math.floor(bytesMax / valueBytes))
  const recovery: Recovery = {
    what,
    logMebibytes: round(sizes.log / mebibyte),
    snapshotMebibytes: round(sizes.snapshot / mebibyte),
    stateMebibytes: round((entries * valueBytes) / mebibyte),
    startedMs: Math.round(startedMs),
    caughtUpMs: Math.round(caughtUpMs),
    peakMebibytes: round(peak / mebibyte),
    restingMebibytes: round(process.memoryUsage.rss() / mebibyte),
  }
  await replica.close()
  process.stdout.write(JSON.stringify(recovery))
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

/** The most that this process ever had in memory, as the kernel counts it. */
function peakBytes(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))!
  return Number(kilobytes) * 1024
}

function print(rows: readonly Recovery[]): void {
  if (values.json) return void process.stdout.write(`${JSON.stringify(rows)}\n`)
  process.stdout.write(
    'from       log MiB  snapshot MiB  state MiB  listens ms  caught up ms  peak MiB  above state  resting MiB\n',
  )
  for (const row of rows) {
    const cells = [row.what.padEnd(8), row.logMebibytes, row.snapshotMebibytes, row.stateMebibytes, row.startedMs]
    cells.push(row.caughtUpMs, row.peakMebibytes, round(row.peakMebibytes - row.stateMebibytes), row.restingMebibytes)
    process.stdout.write(`${cells.map((cell, index) => String(cell).padStart(index === 0 ? 0 : 11)).join(' ')}\n`)
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
