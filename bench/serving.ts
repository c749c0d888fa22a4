// What it costs a leader that somebody fetches its state. `node .tools/bench/serving.js [--dir DIR] [--seconds 8] [--rounds 5] [--json]`.
// Three replicas as processes and, in the place of a learner, a sink: a process that asks the leader for chunks as fast as it gets them
// and keeps none. What the leader spends is what the kernel counts for its process, so it does not matter how busy the machine is with
// the rest. Load and sink run in turns: nothing, chunks, the smallest answers; the medians of all rounds are printed.

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createLocalNetwork, localNetworkFileName, replicaFolder } from '../src/cli/setup/local-network.ts'
import { Supervisor } from '../src/cli/supervisor.ts'
import { createClient, type Client } from '../src/client/node.ts'
import type { StoreCommand, StoreQuery } from '../src/execution/store/commands.ts'
import { keyValueStore } from '../src/execution/store/key-value-store.ts'
import type { StoreResult } from '../src/execution/store/results.ts'
import { replicaId } from '../src/kernel/ids.ts'
import { readNetworkFile } from '../src/replica/options.ts'
import type { ReplicaStatus } from '../src/replica/replica.ts'
import { cpuSecondsOf } from '../src/benchmark/process-cpu.ts'
import { StateSink, sinkModes, type SinkMode } from './state-sink.ts'

type StoreClient = Client<StoreCommand, StoreQuery, StoreResult>

/** Operations under way, and the pause between an answer and the next. */
const loads = {
  light: { outstanding: 16, pauseMs: 15 },
  full: { outstanding: 256, pauseMs: 0 },
} as const
type LoadName = keyof typeof loads

interface Window {
  load: LoadName
  mode: SinkMode
  operationsPerSecond: number
  leaderCores: number
  mebibytesPerSecond: number
  answersPerSecond: number
}

interface Figures extends Window {
  /** CPU seconds a second beyond what the same operations take without serving: the share of its core that is lost to them. */
  servingCores: number
  /** Lowest and highest of the rounds. */
  servingRange: [number, number]
}

interface SinkReport {
  ready: boolean
  bytes: number
  answers: number
}

const mebibyte = 1024 * 1024
const learner = 4
const valueBytes = 100
const stateValueBytes = 16 * 1024

const { values } = parseArgs({
  options: {
    dir: { type: 'string', default: '.' },
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '5' },
    'state-mebibytes': { type: 'string', default: '64' },
    json: { type: 'boolean', default: false },
    sink: { type: 'string' },
    server: { type: 'string', default: '1' },
  },
})

if (values.sink === undefined) await measureAll()
else await runSink(values.sink)

async function measureAll(): Promise<void> {
  const parent = mkdtempSync(join(values.dir, '.serving-bench-'))
  const dir = join(parent, 'network')
  const shape = { name: 'bench', protocol: 'raft', replicas: 3, learners: 1, host: '127.0.0.1' } as const
  const local = await createLocalNetwork({ dir, ...shape })
  const supervisor = new Supervisor({ networkPath: local.networkPath, app: '', said: () => {} })
  let sink: ChildProcess | null = null
  try {
    const pids = new Map([1, 2, 3].map((id) => [id, supervisor.start(replicaId(id), replicaFolder(dir, id)).pid]))
    const client = createClient({ network: local.networkPath, key: local.clientKeyPath, stateMachine: keyValueStore })
    await fill(client)
    const leader = await leaderWithSnapshot(client)
    const started = await startSink(dir, leader)
    sink = started.child
    const windows: Window[] = []
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const load of ['light', 'full'] as const) {
        for (const mode of sinkModes) windows.push(await measure(client, load, mode, pids.get(leader)!, started.report))
      }
    }
    if ((await leaderWithSnapshot(client)) !== leader) throw new Error('the leader changed meanwhile: measure again')
    await client.close()
    print(figuresOf(windows))
  } finally {
    sink?.kill()
    await supervisor.stop()
    rmSync(parent, { recursive: true, force: true })
  }
}

async function fill(client: StoreClient): Promise<void> {
  const count = (Number(values['state-mebibytes']) * mebibyte) / stateValueBytes
  const outstanding = 32
  const loop = async (first: number): Promise<void> => {
    for (let index = first; index < count; index += outstanding) {
      const value = new Uint8Array(stateValueBytes)
      new DataView(value.buffer).setUint32(0, index)
      await client.submit({ kind: 'put', key: new TextEncoder().encode(`state-${index}`), value, lease: 0 })
    }
  }
  await Promise.all(Array.from({ length: outstanding }, (_, first) => loop(first)))
}

async function leaderWithSnapshot(client: StoreClient): Promise<number> {
  for (;;) {
    for (const replica of [1, 2, 3]) {
      const report = await client.status(replicaId(replica))
      const status = report === null ? null : (JSON.parse(report) as ReplicaStatus)
      if (status?.role === 'leader' && status.checkpoints.stableHeight > 0) return replica
    }
    await sleep(100)
  }
}

async function startSink(dir: string, leader: number) {
  const script = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, [script, '--sink', dir, '--server', String(leader)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const report = async (mode: SinkMode): Promise<SinkReport> => {
    const answer = new Promise<SinkReport>((resolve) =>
      child.once('message', (message) => resolve(message as SinkReport)),
    )
    child.send(mode)
    return answer
  }
  while (!(await report('nothing')).ready) await sleep(100)
  return { child, report }
}

/** The process of the sink: it does as it is told, and tells what has come so far. It steps back behind all others. */
async function runSink(dir: string): Promise<void> {
  setPriority(constants.priority.PRIORITY_LOW)
  const sink = new StateSink({
    network: readNetworkFile(join(dir, localNetworkFileName)),
    self: replicaId(learner),
    folder: replicaFolder(dir, learner),
    server: replicaId(Number(values.server)),
  })
  let ready = false
  void sink.ready.then(() => (ready = true))
  process.on('message', (mode) => {
    sink.setMode(mode as SinkMode)
    process.send!({ ready, bytes: sink.bytes, answers: sink.answers } satisfies SinkReport)
  })
  process.on('disconnect', () => process.exit())
  await sink.start()
}

async function measure(
  client: StoreClient,
  load: LoadName,
  mode: SinkMode,
  leaderPid: number,
  report: (mode: SinkMode) => Promise<SinkReport>,
): Promise<Window> {
  const { outstanding, pauseMs } = loads[load]
  let completed = 0
  const end = new AbortController()
  const loop = async (number: number): Promise<void> => {
    for (let count = 0; !end.signal.aborted; count++) {
      const key = new TextEncoder().encode(`key-${number}-${count % 100}`)
      await client.submit({ kind: 'put', key, value: new Uint8Array(valueBytes), lease: 0 }, { deadlineMs: 60_000 })
      completed++
      if (pauseMs > 0) await sleep(pauseMs)
    }
  }
  await report(mode)
  const loops = Promise.all(Array.from({ length: outstanding }, (_, number) => loop(number)))
  // What was saved up while nobody asked, and what the last load left, is over by then.
  await sleep(1_500)
  const before = { completed, cpu: cpuSecondsOf(leaderPid), sink: await report(mode), ms: performance.now() }
  await sleep(Number(values.seconds) * 1000)
  const seconds = (performance.now() - before.ms) / 1000
  const cpu = cpuSecondsOf(leaderPid) - before.cpu
  const operations = completed - before.completed
  const sink = await report('nothing')
  end.abort()
  await loops
  return {
    load,
    mode,
    operationsPerSecond: operations / seconds,
    leaderCores: cpu / seconds,
    mebibytesPerSecond: (sink.bytes - before.sink.bytes) / mebibyte / seconds,
    answersPerSecond: (sink.answers - before.sink.answers) / seconds,
  }
}

function figuresOf(windows: readonly Window[]): Figures[] {
  return (['light', 'full'] as const).flatMap((load) =>
    sinkModes.map((mode): Figures => {
      const rounds = windows.filter((one) => one.load === load && one.mode === mode)
      const without = windows.filter((one) => one.load === load && one.mode === 'nothing')
      // Each with its neighbour of the same round.
      const serving = rounds.map((one, round) => {
        const bare = without[round]!
        return one.leaderCores - (one.operationsPerSecond * bare.leaderCores) / bare.operationsPerSecond
      })
      const of = (pick: (one: Window) => number): number => median(rounds.map(pick))
      return {
        load,
        mode,
        operationsPerSecond: Math.round(of((one) => one.operationsPerSecond)),
        leaderCores: rounded(of((one) => one.leaderCores)),
        mebibytesPerSecond: rounded(of((one) => one.mebibytesPerSecond)),
        answersPerSecond: Math.round(of((one) => one.answersPerSecond)),
        servingCores: rounded(median(serving)),
        servingRange: [rounded(Math.min(...serving)), rounded(Math.max(...serving))],
      }
    }),
  )
}

function print(rows: readonly Figures[]): void {
  if (values.json) return void process.stdout.write(`${JSON.stringify(rows)}\n`)
  process.stdout.write('load   asked for     ops/s  leader cores  MiB/s  answers/s  serving cores (lowest, highest)\n')
  for (const row of rows) {
    const { load, mode, operationsPerSecond, leaderCores, mebibytesPerSecond, answersPerSecond } = row
    const cells = [load.padEnd(6), mode.padEnd(10), String(operationsPerSecond).padStart(8)]
    cells.push(leaderCores.toFixed(2).padStart(13), mebibytesPerSecond.toFixed(1).padStart(6))
    cells.push(String(answersPerSecond).padStart(10), row.servingCores.toFixed(2).padStart(14))
    process.stdout.write(`${cells.join(' ')} (${row.servingRange.map((one) => one.toFixed(2)).join(', ')})\n`)
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)]!
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
