// Runs the rounds of a plan one after another, and keeps what each came to. One that fails is told of, and the next begins.

import { mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import type { NetworkNamespace } from './network-namespace.ts'
import { patienceSeconds } from './plan/estimate.ts'
import type { Plan, PlannedPoint, PlannedRound } from './plan/plan.ts'
import { readProfiles } from './profiles.ts'
import { emptyRound, notRun, type RoundReport } from './report/report.ts'
import type { Point, Round, RoundLine } from './round.ts'
import { runRound, type RoundCommand } from './run-round.ts'
import type { Yardstick } from './yardstick.ts'

export type BenchmarkEvent =
  | { kind: 'yardstick'; run: number; yardstick: Yardstick }
  | { kind: 'round'; round: number; plan: PlannedRound }
  | ({ round: number } & Exclude<RoundLine, { kind: 'failed' }>)
  | { kind: 'ended'; round: number; failure: string | null }

export interface PlanRun {
  rounds: RoundReport[]
  yardsticks: Yardstick[]
  versions: Map<string, string>
  state: 'complete' | 'interrupted' | 'late' | 'failed'
  /** What has ended it before all was done, where that was no round's; null else. */
  failure: string | null
}

export interface RunPlanOptions {
  plan: Plan
  /** On the disk that is measured. */
  dir: string
  /** Where rounds without fsync have their files; null where the machine has no such folder. */
  memoryDir: string | null
  /** How the process of a round is called. */
  command: (round: Round) => RoundCommand
  /** A network with round trips of so many milliseconds. */
  delayed: (roundTripMs: number) => NetworkNamespace
  yardstick: (folder: string) => Yardstick
  signal: AbortSignal
  /** Then no other round begins. */
  isLate: () => boolean
  onEvent: (event: BenchmarkEvent) => void
  /** Keeps a picture beside the report. */
  keep: (name: string, text: string) => void
  /** After each round: whatever comes later, this is not lost. */
  onProgress: (run: PlanRun) => void
}

/** Whatever happens, it answers with what was measured until then. */
export async function runPlan(options: RunPlanOptions): Promise<PlanRun> {
  const rounds = options.plan.rounds.map(emptyRound)
  const run: PlanRun = { rounds, yardsticks: [], versions: new Map(), state: 'complete', failure: null }
  try {
    await runRounds(options, run)
  } catch (error) {
    run.state = 'failed'
    run.failure = wordsOf(error)
  }
  return run
}

async function runRounds(options: RunPlanOptions, run: PlanRun): Promise<void> {
  const { plan, signal, isLate, onEvent } = options
  const measureMachine = (number: number): void => {
    const yardstick = inFolder(options.dir, options.yardstick)
    run.yardsticks.push(yardstick)
    onEvent({ kind: 'yardstick', run: number, yardstick })
  }
  for (const [index, report] of run.rounds.entries()) {
    if (signal.aborted || isLate()) break
    if (report.plan.run !== plan.rounds[index - 1]?.run) measureMachine(report.plan.run)
    onEvent({ kind: 'round', round: index, plan: report.plan })
    report.failure = await runOne(options, run, index).catch(wordsOf)
    onEvent({ kind: 'ended', round: index, failure: report.failure })
    options.onProgress(run)
  }
  if (signal.aborted) run.state = 'interrupted'
  else if (run.rounds.some(({ failure }) => failure === notRun)) run.state = 'late'
  else measureMachine((plan.rounds.at(-1)?.run ?? 0) + 1)
}

const wordsMax = 500

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, wordsMax)
}

async function runOne(options: RunPlanOptions, run: PlanRun, index: number): Promise<string | null> {
  const { plan } = run.rounds[index]!
  const points = plan.points.map((point) => resolved(point, plan, run.rounds))
  if (points.includes(null)) return 'its closed loop has reached nothing that an open one could take a share of'
  const parent = plan.fsync ? options.dir : options.memoryDir
  if (parent === null) return 'this machine has no folder in memory (/dev/shm) for replicas that wait for no disk'
  const dir = mkdtempSync(join(parent, '.quorate-bench-'))
  let network: NetworkNamespace | null = null
  try {
    if (plan.roundTripMs > 0) network = options.delayed(plan.roundTripMs)
    const { system, replicas, fsync, run: seed } = plan
    const { warmUp = [], check = false } = plan
    const round: Round = { system, setup: { dir, replicas, fsync }, warmUp, points: points as Point[], check, seed }
    const command = options.command(round)
    return await runIn(options, run, index, network === null ? command : network.wrapped(command))
  } finally {
    network?.remove()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function runIn(
  options: RunPlanOptions,
  run: PlanRun,
  index: number,
  command: RoundCommand,
): Promise<string | null> {
  const report = run.rounds[index]!
  const { plan } = report
  const profiles = plan.profile ? mkdtempSync(join(options.dir, '.quorate-profiles-')) : null
  let measuredUs = 0
  try {
    const failure = await runRound(profiles === null ? command : recorded(command, profiles), {
      patienceMs: patienceSeconds(plan) * 1000,
      signal: options.signal,
      onLine: (line) => {
        if (line.kind === 'failed') return
        if (line.kind === 'started') {
          report.processes = line.processes
          run.versions.set(plan.system, line.version)
        } else if (line.kind === 'checked') report.check = line.words
        else {
          report.results.push(line.result)
          measuredUs = Number(process.hrtime.bigint() / 1000n)
        }
        options.onEvent({ round: index, ...line })
      },
    })
    if (profiles !== null) keepProfiles(options, report, profiles, measuredUs)
    const missing = plan.points.length - report.results.length
    return failure ?? (missing === 0 ? null : `it left out ${missing} of its points`)
  } finally {
    if (profiles !== null) rmSync(profiles, { recursive: true, force: true })
  }
}

/** Of the last point: the time before it was told of. */
function keepProfiles(options: RunPlanOptions, report: RoundReport, folder: string, measuredUs: number): void {
  const { system, replicas } = report.plan
  const seconds = report.results.at(-1)?.seconds ?? 0
  const window = { fromUs: measuredUs - seconds * 1e6, toUs: measuredUs }
  for (const { process, shares, flameGraph } of readProfiles(folder, `${system}, ${replicas} replicas`, window)) {
    const name = `flame-${system}-${replicas}-${process}.svg`.replaceAll(/[^a-z0-9.-]/g, '-')
    options.keep(name, flameGraph)
    report.profiles.push({ process, shares, flameGraph: name })
  }
}

const recorderUrl = new URL('./profile-recorder.js', import.meta.url)

function recorded(command: RoundCommand, folder: string): RoundCommand {
  const environment = { QUORATE_PROFILE_DIR: folder, NODE_OPTIONS: `--import ${recorderUrl.href}` }
  return { ...command, environment: { ...command.environment, ...environment } }
}

/** With a rate where it had a share: of the most that its closed loop reached in the first run that has one, so that all runs have one rate. */
function resolved(point: PlannedPoint, plan: PlannedRound, rounds: readonly RoundReport[]): Point | null {
  const { load, ...rest } = point
  if (load.loop === 'closed') return { ...rest, load }
  const reached = rounds
    .filter((one) => isLike(one.plan, plan))
    .flatMap((one) =>
      one.results
        .filter(({ point: measured }) => isSameWork(measured, point))
        .map(({ operations, seconds }) => ({ run: one.plan.run, perSecond: operations / seconds })),
    )
  const firstRun = Math.min(...reached.map(({ run }) => run))
  const most = Math.max(0, ...reached.filter(({ run }) => run === firstRun).map(({ perSecond }) => perSecond))
  return most === 0
    ? null
    : { ...rest, load: { loop: 'open', perSecond: Math.max(1, Math.round((most * load.percent) / 100)) } }
}

function isLike(one: PlannedRound, other: PlannedRound): boolean {
  const { system, replicas, fsync, roundTripMs } = other
  return (
    !one.profile &&
    one.system === system &&
    one.replicas === replicas &&
    one.fsync === fsync &&
    one.roundTripMs === roundTripMs
  )
}

function isSameWork({ load, kind, operationBytes, clients, failure }: Point, point: PlannedPoint): boolean {
  return (
    load.loop === 'closed' &&
    failure === undefined &&
    kind === point.kind &&
    operationBytes === point.operationBytes &&
    clients === point.clients
  )
}

function inFolder<Result>(parent: string, work: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(parent, '.quorate-yardstick-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The program of every round, in a Node like this one. */
export function roundProgram(round: Round): RoundCommand {
  const program = fileURLToPath(new URL('./round-program.js', import.meta.url))
  return { file: process.execPath, args: [program, JSON.stringify(round)] }
}
