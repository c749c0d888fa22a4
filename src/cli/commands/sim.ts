// `quorate sim`: runs seeds of the simulator, and says what it saw.

import { execFileSync } from 'node:child_process'
import { appendFileSync, createWriteStream, type WriteStream } from 'node:fs'
import { protocolNames, type ProtocolName } from '../../kernel/ids.ts'
import { faultsTolerated } from '../../kernel/quorum.ts'
import { coverageMinima } from '../../simulator/coverage.ts'
import { faultFamilies, type TraceLine } from '../../simulator/report.ts'
import { runSeed } from '../../simulator/simulation.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import {
  flag,
  number,
  oneOf,
  parseOptions,
  text,
  UsageError,
  type CommandSpec,
  type ParsedOptions,
} from '../options.ts'
import { progressBar, table, type Output } from '../output.ts'
import { openResume } from '../sweep/resume.ts'
import type { SweepOptions } from '../sweep/run-chunk.ts'
import { sourcesHash } from '../sweep/sources.ts'
import { addReport, addSummary, emptySummary, missedMinima, type Missed, type Summary } from '../sweep/summary.ts'
import { chunksOf, runSweep } from '../sweep/sweep.ts'

const replicasMax = 31
const seedMax = 1_000_000_000
const seedsMax = 10_000_000
const recordFile = 'docs/sweeps.jsonl'

const spec: CommandSpec = {
  name: 'sim',
  summary: 'runs a network in the simulator, one history for each seed, and checks it',
  usage: 'quorate sim [--protocol raft] [--replicas 3] [--seeds 1..100] [options]',
  options: [
    { name: 'protocol', value: 'NAME', description: 'the protocol; raft is built', default: 'raft' },
    { name: 'replicas', value: 'N', description: 'how many replicas', default: '3' },
    { name: 'seeds', value: 'A..B', description: 'the seeds to run', default: '1..100' },
    { name: 'seed', value: 'N', description: 'one seed only' },
    { name: 'faults', value: 'FAMILY', description: faultFamilies.join(', '), default: 'all' },
    { name: 'jobs', value: 'N', description: 'processes that share the work', default: '1' },
    {
      name: 'minutes',
      value: 'M',
      description: 'stops after so long; what was run so far counts, and is called incomplete',
    },
    { name: 'resume', value: 'FILE', description: 'keeps finished seeds in the file, and goes on from there' },
    { name: 'stop-after', value: 'N', description: 'stops when so many seeds have failed', default: '10' },
    {
      name: 'trace',
      value: 'FILE',
      description: 'with --seed: writes what happened, for a person to read; - is the screen',
    },
    { name: 'record', description: `adds the result to ${recordFile}` },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: [
    'quorate sim --protocol raft --replicas 3 --seeds 1..1000 --jobs 2',
    'quorate sim --replicas 5 --seed 42 --trace -',
    'quorate sim --seeds 1..100000 --jobs 2 --resume sweep.jsonl --minutes 60',
  ],
}

export const simCommand: Command = { spec, run }

interface Request {
  sweep: SweepOptions
  from: number
  to: number
  jobs: number
  stopAfter: number
  minutes: number | null
  resume: string | null
  trace: string | null
  record: boolean
  json: boolean
}

async function run(args: readonly string[], output: Output): Promise<number> {
  const request = readRequest(parseOptions(spec, args))
  warnAboutReplicas(request, output)
  if (request.trace !== null) return traceOne(request, request.trace, output)
  const { summary, state } = await sweep(request, output)
  const missed = missedMinima(
    summary,
    coverageMinima(request.sweep.protocol, request.sweep.replicas, request.sweep.faults),
  )
  if (request.json) output.out(JSON.stringify(asJson(request, summary, missed, state)))
  else print(request, summary, missed, state, output)
  if (request.record) record(request, summary, state)
  if (state === 'interrupted') return exitCode.interrupted
  return summary.violated > 0 || (missed.length > 0 && state === 'complete') ? exitCode.failed : exitCode.ok
}

function readRequest(parsed: ParsedOptions): Request {
  if (parsed.positionals.length > 0) throw new UsageError(`${parsed.positionals[0]} is not an option`)
  const protocol = oneOf<ProtocolName>(parsed, 'protocol', 'raft', protocolNames)
  if (protocol !== 'raft') throw new UsageError(`--protocol is ${protocol}, which is not built yet; raft is`)
  const [from, to] = readSeeds(parsed)
  const trace = text(parsed, 'trace', '')
  if (trace !== '' && from !== to) throw new UsageError('--trace writes one history: name its --seed')
  const minutes = text(parsed, 'minutes', '')
  return {
    sweep: {
      protocol,
      replicas: number(parsed, 'replicas', 3, 1, replicasMax),
      faults: oneOf(parsed, 'faults', 'all', faultFamilies),
    },
    from,
    to,
    jobs: number(parsed, 'jobs', 1, 1, 64),
    stopAfter: number(parsed, 'stop-after', 10, 1, 1_000_000),
    minutes: minutes === '' ? null : number(parsed, 'minutes', 0, 1, 10_000),
    resume: text(parsed, 'resume', '') || null,
    trace: trace || null,
    record: flag(parsed, 'record'),
    json: flag(parsed, 'json'),
  }
}

function readSeeds(parsed: ParsedOptions): [number, number] {
  if (parsed.values['seed'] !== undefined) {
    const seed = number(parsed, 'seed', 1, 0, seedMax)
    return [seed, seed]
  }
  const range = text(parsed, 'seeds', '1..100')
  const match = /^([0-9]{1,10})(?:\.\.([0-9]{1,10}))?$/.exec(range)
  const from = Number(match?.[1])
  const to = Number(match?.[2] ?? match?.[1])
  if (match === null || to < from || to > seedMax || to - from >= seedsMax) {
    throw new UsageError(
      `--seeds is ${range}, and must be A..B with A not above B, at most ${seedsMax} seeds up to ${seedMax}`,
    )
  }
  return [from, to]
}

function warnAboutReplicas({ sweep }: Request, output: Output): void {
  const { replicas } = sweep
  if (replicas % 2 === 0) {
    const crashes = faultsTolerated('crash', replicas)
    output.error(
      `warning: ${replicas} replicas survive ${crashes} ${crashes === 1 ? 'crash' : 'crashes'}, no more than ${replicas - 1} do, and each block waits for one more of them`,
    )
  }
  if (replicas === 1) output.error('warning: 1 replica survives no crash')
}

type SweepState = 'complete' | 'incomplete' | 'interrupted'

async function sweep(request: Request, output: Output): Promise<{ summary: Summary; state: SweepState }> {
  const total = request.to - request.from + 1
  const resume = request.resume === null ? null : openResume(request.resume, request.sweep, sourcesHash())
  const summary = emptySummary()
  const inRange = (resume?.done ?? []).filter(({ chunk }) => chunk.from >= request.from && chunk.to <= request.to)
  for (const { summary: part } of inRange) addSummary(summary, part)
  let interrupted = false
  const interrupt = (): void => void (interrupted = true)
  process.on('SIGINT', interrupt)
  const show = (): void => {
    const rate = Math.round(summary.events / Math.max(0.001, summary.cpuSeconds)).toLocaleString('en')
    output.progress(
      `${progressBar(summary.seeds, total)} seeds, ${rate} events a CPU second, ${summary.violated} failed`,
    )
  }
  const found = await runSweep({
    options: request.sweep,
    chunks: chunksOf(
      request.from,
      request.to,
      inRange.map(({ chunk }) => chunk),
    ),
    jobs: request.jobs,
    stopAfter: request.stopAfter,
    deadlineMs: request.minutes === null ? null : Date.now() + request.minutes * 60_000,
    stopped: () => interrupted,
    onChunk: (chunk, part) => {
      addSummary(summary, part)
      resume?.add(chunk, part)
      show()
    },
  })
  process.off('SIGINT', interrupt)
  // A worker that died is known to the sweep alone.
  for (const failure of found.failures) {
    if (failure.invariant === 'simulator-crashed') {
      summary.violated++
      summary.failures.push(failure)
    }
  }
  return { summary, state: interrupted ? 'interrupted' : summary.seeds < total ? 'incomplete' : 'complete' }
}

function print(request: Request, summary: Summary, missed: readonly Missed[], state: SweepState, output: Output): void {
  const { protocol, replicas, faults } = request.sweep
  const rate = Math.round(summary.events / Math.max(0.001, summary.cpuSeconds))
  const perSecond = (summary.committedOperations / Math.max(1, summary.virtualMs)) * 1000
  output.out(output.bold(`${protocol}, ${replicas} replicas, faults: ${faults}`))
  const rows = [
    [
      'seeds',
      `${summary.seeds.toLocaleString('en')}${state === 'complete' ? '' : ` of ${request.to - request.from + 1} (${state})`}`,
    ],
    ['passed', summary.passed.toLocaleString('en')],
    ['failed', summary.violated.toLocaleString('en')],
    [
      'excused',
      `${summary.excused.toLocaleString('en')} (${share(summary.excused, summary.seeds)})${words(summary.excuses)}`,
    ],
    ['events', `${summary.events.toLocaleString('en')}, ${rate.toLocaleString('en')} a CPU second`],
    ['operations', `${summary.committedOperations.toLocaleString('en')}, ${perSecond.toFixed(0)} a virtual second`],
  ]
  for (const line of table(rows)) output.out(`  ${line}`)
  output.out(output.bold('coverage'))
  const counts = Object.entries(summary.coverage).sort(([left], [right]) => (left < right ? -1 : 1))
  if (counts.length > 0)
    for (const line of table(counts.map(([name, count]) => [name, count.toLocaleString('en')]))) output.out(`  ${line}`)
  for (const { name, seen, wanted, why } of missed) {
    output.out(
      output.red(`too little coverage: ${name} was seen ${seen} times, at least ${wanted} are needed (${why})`),
    )
  }
  for (const { seed, invariant, explanation } of summary.failures) {
    output.out(output.red(`seed ${seed} failed: ${invariant}`))
    output.out(`  ${explanation}`)
    output.out(
      `  replay: npx quorate sim --protocol ${protocol} --replicas ${replicas} --faults ${faults} --seed ${seed} --trace -`,
    )
  }
  if (summary.violated === 0) output.out(output.green('no violation'))
}

function share(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(2)}%`
}

function words(counts: Readonly<Record<string, number>>): string {
  const list = Object.entries(counts).map(([name, count]) => `${name}: ${count}`)
  return list.length === 0 ? '' : ` ${list.join(', ')}`
}

function asJson(request: Request, summary: Summary, missed: readonly Missed[], state: SweepState): object {
  return {
    ...request.sweep,
    seeds: { from: request.from, to: request.to, run: summary.seeds },
    state,
    ...omitSeeds(summary),
    missed,
  }
}

function omitSeeds({ seeds: _seeds, ...rest }: Summary): Omit<Summary, 'seeds'> {
  return rest
}

function record(request: Request, summary: Summary, state: SweepState): void {
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim()
  const line = {
    date: new Date().toISOString(),
    commit,
    sources: sourcesHash(),
    node: process.version,
    ...asJson(request, summary, [], state),
  }
  appendFileSync(recordFile, `${JSON.stringify(line)}\n`)
}

function traceOne(request: Request, path: string, output: Output): number {
  const file: WriteStream | null = path === '-' ? null : createWriteStream(path)
  const write = (line: string): void => void (file ?? process.stdout).write(`${line}\n`)
  const summary = emptySummary()
  const report = runSeed({
    ...request.sweep,
    seed: request.from,
    trace: ({ timeUs, actor, what, detail }: TraceLine) =>
      write(
        `${(timeUs / 1000).toFixed(3).padStart(12)} ms  ${actor.padEnd(10)}  ${what}${detail === '' ? '' : `: ${detail}`}`,
      ),
  })
  addReport(summary, report)
  write(
    `history ${report.traceHash}: ${report.verdict}${report.violation === null ? '' : `, ${report.violation.invariant}: ${report.violation.explanation}`}`,
  )
  file?.end()
  if (path !== '-') output.out(`seed ${request.from} ${report.verdict}; its timeline is in ${path}`)
  return report.verdict === 'violated' ? exitCode.failed : exitCode.ok
}
