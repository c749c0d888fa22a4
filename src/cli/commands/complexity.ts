// `quorate complexity`: what each protocol costs at each size, counted in the simulator, beside the closed forms; and on real processes.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { plotsOf } from '../../benchmark/complexity/plots.ts'
import { blockOnProcesses } from '../../benchmark/complexity/processes.ts'
import { reportSchema, rowOf, type ComplexityReport, type Row } from '../../benchmark/complexity/report.ts'
import { simulatedCosts, type Load } from '../../benchmark/complexity/simulated.ts'
import { contenders, type Contender } from '../../benchmark/contenders.ts'
import { drawPlots, plotsAsPng } from '../../benchmark/plot/line-plot.ts'
import { faultModelOf, protocolNames } from '../../kernel/ids.ts'
import { votersMin } from '../../kernel/quorum.ts'
import type { Command } from '../command.ts'
import { complexityTables } from '../complexity-tables.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure, systemCode } from '../failure.ts'
import { watchInterruption } from '../interruption.ts'
import { flag, number, parseOptions, text, UsageError, type CommandSpec, type ParsedOptions } from '../options.ts'
import { progressBar, type Output } from '../output.ts'
import { createFile } from '../write-file.ts'

const replicasMax = 64
const processesMax = 13

const spec: CommandSpec = {
  name: 'complexity',
  summary: 'counts what each protocol costs at each size: messages, bytes, signatures, delays',
  usage: 'quorate complexity [--protocols raft,pbft,hotstuff] [--n 3..31] [options]',
  options: [
    {
      name: 'protocols',
      value: 'NAMES',
      description: 'which, with commas between them',
      default: protocolNames.join(','),
    },
    {
      name: 'n',
      value: 'A..B',
      description: 'how many replicas, each size that the protocol allows',
      default: '3..31',
    },
    { name: 'operations', value: 'N', description: 'operations in a block', default: '100' },
    { name: 'bytes', value: 'N', description: 'of an operation', default: '128' },
    { name: 'blocks', value: 'N', description: 'blocks that are counted; each costs the same', default: '4' },
    {
      name: 'processes',
      value: 'N',
      description: `sizes up to this on real processes too, over libp2p, at most ${processesMax}`,
      default: 'none',
    },
    { name: 'out', value: 'DIR', description: 'writes complexity.json, complexity.svg and complexity.png there' },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: [
    'quorate complexity',
    'quorate complexity --protocols pbft,hotstuff --n 4..13 --operations 1000',
    'quorate complexity --n 3..31 --processes 4 --out complexity',
    'quorate complexity --n 4 --json',
  ],
}

export const complexityCommand: Command = { spec, run }

interface Request {
  pairs: { contender: Contender; replicas: number }[]
  load: Load
  processes: number
  out: string
  json: boolean
}

async function run(args: readonly string[], output: Output): Promise<number> {
  const request = readRequest(parseOptions(spec, args))
  const interruption = watchInterruption()
  try {
    const rows = await measure(request, interruption.signal, output)
    const report: ComplexityReport = { schema: reportSchema, load: request.load, rows }
    if (request.out !== '') writeFiles(request.out, report)
    if (request.json) output.out(JSON.stringify(report))
    else print(report, request.out, output)
    return rows.some(({ differences }) => differences.length > 0) ? exitCode.failed : exitCode.ok
  } catch (error) {
    if (interruption.signal.aborted) return exitCode.interrupted
    throw error
  } finally {
    interruption.dispose()
  }
}

function readRequest(parsed: ParsedOptions): Request {
  if (parsed.positionals.length > 0) throw new UsageError(`${parsed.positionals[0]} is not an option`)
  const names = text(parsed, 'protocols', protocolNames.join(',')).split(',')
  const unknown = names.find((name) => !protocolNames.some((one) => one === name))
  if (unknown !== undefined) {
    throw new UsageError(`--protocols names ${unknown}, and must name some of ${protocolNames.join(', ')}`)
  }
  const [from, to] = readSizes(text(parsed, 'n', '3..31'))
  const sizes = Array.from({ length: to - from + 1 }, (_, index) => from + index)
  const pairs = contenders
    .filter(({ protocol }) => names.includes(protocol))
    .flatMap((contender) => {
      const least = votersMin(faultModelOf(contender.protocol))
      return sizes.filter((replicas) => replicas >= least).map((replicas) => ({ contender, replicas }))
    })
  if (pairs.length === 0) throw new UsageError(`--n is ${from}..${to}, and pbft and hotstuff need 4 replicas at least`)
  return {
    pairs,
    load: {
      operationsPerBlock: number(parsed, 'operations', 100, 1, 1000),
      operationBytes: number(parsed, 'bytes', 128, 1, 4096),
      blocks: number(parsed, 'blocks', 4, 1, 100),
    },
    processes: number(parsed, 'processes', 0, 3, processesMax),
    out: text(parsed, 'out', ''),
    json: flag(parsed, 'json'),
  }
}

function readSizes(range: string): [from: number, to: number] {
  const match = /^([0-9]{1,3})(?:\.\.([0-9]{1,3}))?$/.exec(range)
  const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
  if (match !== null && from >= 3 && from <= to && to <= replicasMax) return [from, to]
  throw new UsageError(`--n is ${range}, and must be A..B, or one number, from 3 to ${replicasMax} with A not above B`)
}

async function measure({ pairs, load, processes }: Request, signal: AbortSignal, output: Output): Promise<Row[]> {
  const rows: Row[] = []
  for (const { contender, replicas } of pairs) {
    output.progress(`${progressBar(rows.length, pairs.length)} ${contender.name} with ${replicas} replicas`)
    // Signals arrive between two rows.
    await setImmediate()
    signal.throwIfAborted()
    const simulated = simulatedCosts(contender, replicas, load)
    const real = replicas <= processes ? await blockOnProcesses(contender, replicas, signal) : null
    rows.push(rowOf(contender, replicas, simulated, real))
  }
  return rows
}

function writeFiles(dir: string, report: ComplexityReport): void {
  try {
    mkdirSync(dir, { recursive: true })
  } catch (error) {
    const message = `${dir} cannot be made (${systemCode(error)}): name a folder that is yours`
    throw new Failure('ERR_FILE_NOT_WRITTEN', message)
  }
  const plots = plotsOf(report)
  createFile(join(dir, 'complexity.json'), `${JSON.stringify(report, null, 2)}\n`)
  createFile(join(dir, 'complexity.svg'), drawPlots(plots))
  createFile(join(dir, 'complexity.png'), plotsAsPng(plots))
}

function print(report: ComplexityReport, out: string, output: Output): void {
  for (const { title, lines } of complexityTables(report)) {
    output.out(output.bold(title))
    for (const line of lines) output.out(line)
    output.out('')
  }
  for (const { name, replicas, notes } of report.rows) {
    for (const note of notes) output.out(`${name}, ${replicas} replicas, on processes: ${note}`)
  }
  const bad = report.rows.filter(({ differences }) => differences.length > 0)
  for (const { name, replicas, differences } of bad) {
    for (const difference of differences) output.out(output.red(`${name}, ${replicas} replicas: ${difference}`))
  }
  if (bad.length === 0) output.out(output.green('Everything counted is what it should be.'))
  if (out !== '') output.out(`Written: complexity.json, complexity.svg and complexity.png in ${out}`)
}
