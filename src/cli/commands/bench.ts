// `quorate bench`: protocols on real processes, beside other systems, by a plan; a report for people and for programs.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createNetworkNamespace } from '../../benchmark/network-namespace.ts'
import { planMinutesMax, planSeconds } from '../../benchmark/plan/estimate.ts'
import { factors } from '../../benchmark/plan/one-factor.ts'
import type { Plan } from '../../benchmark/plan/plan.ts'
import { isOurs } from '../../benchmark/plan/systems.ts'
import { htmlReport } from '../../benchmark/report/html.ts'
import { commitOf, thisMachine } from '../../benchmark/report/machine.ts'
import { reportVersion, type Report } from '../../benchmark/report/report.ts'
import { roundProgram, runPlan, type PlanRun } from '../../benchmark/run-plan.ts'
import { hasCheckPerf } from '../../benchmark/systems/etcd/check-perf.ts'
import { systems } from '../../benchmark/systems/table.ts'
import { yardstick } from '../../benchmark/yardstick.ts'
import { nodeEd25519 } from '../../crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../crypto/node/sha256-hasher.ts'
import { requireDelays } from '../bench/delays.ts'
import { createProgress, minutes, planSentence } from '../bench/progress.ts'
import { readRequest, type BenchRequest } from '../bench/request.ts'
import { printSummary } from '../bench/summary.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure, systemCode } from '../failure.ts'
import { watchInterruption } from '../interruption.ts'
import { parseOptions, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { packageFolder, packageVersion } from '../package.ts'
import { createFile, createOrReplaceInput } from '../write-file.ts'

const spec: CommandSpec = {
  name: 'bench',
  summary: 'measures protocols on real processes beside other systems, and writes a report',
  usage: 'quorate bench [--quick] [--protocols raft,pbft,hotstuff] [--peers etcd] [options]',
  options: [
    {
      name: 'protocols',
      value: 'NAMES',
      description: `which of ${systems
        .map(({ name }) => name)
        .filter(isOurs)
        .join(', ')}`,
      default: 'raft,pbft,hotstuff',
    },
    {
      name: 'peers',
      value: 'NAMES',
      description: 'other systems beside them, or none',
      default: 'etcd, if it is installed',
    },
    {
      name: 'factors',
      value: 'NAMES',
      description: `what is varied: ${factors.join(', ')}`,
      default: 'all but round-trip and profile',
    },
    {
      name: 'outstanding',
      value: 'N,…',
      description: 'operations under way in closed loops',
      default: '1,4,16,64,256,1024,4096',
    },
    { name: 'bytes', value: 'N,…', description: 'sizes of operations', default: '16,128,1024,16384,65536' },
    {
      name: 'clients',
      value: 'N,…',
      description: 'independent clients, each with a key of its own',
      default: '1,16,256',
    },
    { name: 'replicas', value: 'N,…', description: 'numbers of replicas', default: '3 or 4, up to 13' },
    {
      name: 'round-trip-ms',
      value: 'MS,…',
      description: 'delays between replicas too, with netem in a namespace; needs root',
    },
    { name: 'seconds', value: 'S', description: 'how long each point is measured', default: '3' },
    { name: 'runs', value: 'N', description: 'how often all is done, contenders in turns', default: '5' },
    { name: 'quick', description: 'a minute, for a first look: one run, 1 and 256 outstanding' },
    { name: 'grid', description: 'every value with every other, however long that takes' },
    { name: 'failures', description: 'only what happens while a leader is killed, a replica is slow, a replica lies' },
    { name: 'profile', description: 'where CPU goes too: a flame graph of each process, in rounds of their own' },
    { name: 'etcd-check-perf', description: 'what etcdctl check perf says of etcd too, which takes a minute' },
    { name: 'dir', value: 'DIR', description: 'where replicas have their files: which disk is measured', default: '.' },
    { name: 'out', value: 'DIR', description: 'a folder to be made for the report', default: 'quorate-bench-DATE' },
    {
      name: 'repeat',
      value: 'REPORT.json',
      description: 'runs the plan of a report again, and shows both side by side',
    },
    { name: 'json', description: 'prints a line of JSON for each thing that happens, and nothing else' },
  ],
  examples: [
    'quorate bench --quick',
    'quorate bench --dir /var/lib/quorate --out results',
    'quorate bench --protocols raft --factors outstanding,reads --outstanding 1,256',
    'quorate bench --protocols pbft,hotstuff --peers none --factors clients --clients 1,16,256',
    'sudo quorate bench --factors round-trip --round-trip-ms 1,10,50',
    'quorate bench --factors profile --replicas 4,7,13 --protocols pbft',
    'quorate bench --repeat results/report.json',
  ],
}

export const benchCommand: Command = { spec, run }

/** Where Linux keeps a folder in memory. */
const memoryDir = '/dev/shm'

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  const names = systems.map(({ name }) => name)
  const request = readRequest(parsed, names, await installedPeers(), await hasCheckPerf())
  const plan = request.plan ?? { rounds: request.before!.rounds.map((round) => round.plan) }
  requireShort(plan, request)
  requireDelays(plan, createNetworkNamespace)
  const say = request.json ? () => {} : output.out
  say(planSentence(plan))
  makeFolder(request.out)
  const { report, signal } = await measure(plan, request, output)
  if (!request.json) printSummary(report, request.before, output)
  if (report.state === 'late')
    say(`stopped after ${minutes(report.seconds)}: what was not begun was left out (--grid has no end)`)
  if (signal.aborted) say('interrupted: what was measured until then is kept')
  if (report.failure !== undefined) say(output.red(`ended before all was done: ${report.failure}`))
  if (request.json) output.out(JSON.stringify({ event: 'report', state: report.state, out: request.out }))
  say(`the report: ${join(request.out, 'report.html')}, with all raw figures in report.json beside it`)
  if (signal.aborted) return exitCode.interrupted
  const hasFailed = report.state === 'failed' || report.rounds.some(({ failure }) => failure !== null)
  return hasFailed ? exitCode.failed : exitCode.ok
}

async function measure(
  plan: Plan,
  request: BenchRequest,
  output: Output,
): Promise<{ report: Report; signal: AbortSignal }> {
  const interruption = watchInterruption()
  const startedMs = Date.now()
  const path = join(request.out, 'report.json')
  const reportOf = (done: PlanRun): Report => ({
    version: reportVersion,
    quorate: { version: packageVersion(), commit: commitOf(packageFolder) },
    startedAt: new Date(startedMs).toISOString(),
    seconds: (Date.now() - startedMs) / 1000,
    state: done.state,
    ...(done.failure === null ? {} : { failure: done.failure }),
    machine: thisMachine(),
    yardsticks: done.yardsticks,
    systems: [...done.versions].map(([name, version]) => ({ name, version })),
    rounds: done.rounds,
  })
  const write = (done: PlanRun): void => createOrReplaceInput(path, `${JSON.stringify(reportOf(done))}\n`, [path])
  const signer = nodeEd25519.signer(new Uint8Array(32).fill(9))
  try {
    const done = await runPlan({
      plan,
      dir: request.dir,
      memoryDir: existsSync(memoryDir) ? memoryDir : null,
      command: roundProgram,
      delayed: (roundTripMs) => createNetworkNamespace(roundTripMs),
      yardstick: (folder) => yardstick({ hasher: nodeHasher, signer, verifier: nodeEd25519 }, folder),
      signal: interruption.signal,
      isLate: () => !request.isGrid && Date.now() - startedMs > planMinutesMax * 60_000,
      onEvent: createProgress(plan, request.json, output),
      keep: (name, content) => createFile(join(request.out, name), content),
      onProgress: write,
    })
    const report = reportOf(done)
    try {
      write(done)
    } finally {
      // One of two is better than none, where a disk is full.
      createFile(join(request.out, 'report.html'), htmlReport(report, request.before))
    }
    return { report, signal: interruption.signal }
  } finally {
    interruption.dispose()
  }
}

function requireShort(plan: Plan, { isGrid }: BenchRequest): void {
  const seconds = planSeconds(plan)
  if (isGrid || seconds <= planMinutesMax * 60) return
  throw new UsageError(
    `this takes about ${minutes(seconds)}, and at most ${planMinutesMax} min are run: ask for fewer --runs, --factors or values, or for a --grid`,
  )
}

async function installedPeers(): Promise<string[]> {
  const peers = systems.filter(({ name }) => !isOurs(name))
  const found = await Promise.all(
    peers.map(({ name, version }) =>
      version().then(
        () => [name],
        () => [],
      ),
    ),
  )
  return found.flat()
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    const step = 'check that the folder above it exists, is yours and has space'
    throw new Failure('ERR_FILE_NOT_WRITTEN', `${path} cannot be made (${systemCode(error)}): ${step}`)
  }
}
