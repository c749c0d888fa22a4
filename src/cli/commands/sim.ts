// `quorate sim`: runs seeds of the simulator, and says what it saw.

import { faultModelOf, protocolNames } from '../../kernel/ids.ts'
import { faultsTolerated, votersMin } from '../../kernel/quorum.ts'
import { coverageMinima } from '../../simulator/coverage.ts'
import { faultFamilies } from '../../simulator/report.ts'
import { runSeed } from '../../simulator/simulation.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { parseOptions, type CommandSpec } from '../options.ts'
import { progressBar, type Output } from '../output.ts'
import { chunksOf, partition } from '../sweep/chunks.ts'
import { openRecord, recordFile } from '../sweep/record.ts'
import { readRequest, type SimRequest } from '../sweep/request.ts'
import { asJson, eventRate, isBad, print, type SweepResult } from '../sweep/result.ts'
import { openResume } from '../sweep/resume.ts'
import type { SweepOptions } from '../sweep/run-chunk.ts'
import { sourcesHash } from '../sweep/sources.ts'
import { addFailure, addReport, addSummary, emptySummary } from '../sweep/summary.ts'
import { runSweep } from '../sweep/sweep.ts'
import { openTrace } from '../sweep/trace.ts'

const spec: CommandSpec = {
  name: 'sim',
  summary: 'runs a network in the simulator, one history for each seed, and checks it',
  usage: 'quorate sim [--protocol raft] [--replicas 3] [--seeds 1..100] [options]',
  options: [
    { name: 'protocol', value: 'NAME', description: `the protocol: ${protocolNames.join(', ')}`, default: 'raft' },
    { name: 'replicas', value: 'N', description: 'how many replicas', default: '3, or 4 where members may lie' },
    { name: 'seeds', value: 'A..B', description: 'the seeds to run', default: '1..100' },
    { name: 'seed', value: 'N', description: 'one seed only' },
    { name: 'faults', value: 'FAMILY', description: faultFamilies.join(', '), default: 'all' },
    {
      name: 'adversaries',
      value: 'N',
      description: 'how many replicas lie, where members may; without it each seed draws a number it survives',
    },
    { name: 'behaviour', value: 'NAME', description: 'how they lie, such as equivocating-proposals; without it drawn' },
    {
      name: 'rule',
      value: 'NAME',
      description: 'hotstuff: which rule commits, two-chain or three-chain',
      default: 'two-chain',
    },
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
    { name: 'verify-determinism', description: 'runs every seed twice, not every 50th, and compares the histories' },
    { name: 'record', description: `adds the result to ${recordFile}` },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: [
    'quorate sim --protocol raft --replicas 3 --seeds 1..1000 --jobs 2',
    'quorate sim --replicas 5 --seed 42 --trace -',
    'quorate sim --protocol pbft --seeds 1..1000 --jobs 2',
    'quorate sim --protocol pbft --replicas 7 --adversaries 2 --behaviour equivocating-proposals',
    'quorate sim --protocol hotstuff --rule three-chain --seeds 1..1000 --jobs 2',
    'quorate sim --seeds 1..100000 --jobs 2 --resume sweep.jsonl --minutes 60',
  ],
}

export const simCommand: Command = { spec, run }

async function run(args: readonly string[], output: Output): Promise<number> {
  const request = readRequest(parseOptions(spec, args))
  warnAboutReplicas(request.sweep, output)
  if (request.trace !== null) return traceOne(request, request.trace, output)
  const record = request.record ? openRecord(sourcesHash()) : null
  const result = await sweep(request, output)
  if (request.json) output.out(JSON.stringify(asJson(request, result)))
  else print(request, result, output)
  record?.(asJson(request, result))
  if (result.state === 'interrupted') return exitCode.interrupted
  return isBad(result) ? exitCode.failed : exitCode.ok
}

function warnAboutReplicas({ protocol, replicas }: SweepOptions, output: Output): void {
  const model = faultModelOf(protocol)
  if (model === 'byzantine') {
    if (faultsTolerated(model, replicas) === 0) {
      output.error(`warning: ${replicas} replicas survive no fault; ${votersMin(model)} survive one`)
    }
    return
  }
  if (replicas === 1) output.error('warning: 1 replica survives no crash')
  if (replicas % 2 !== 0) return
  const crashes = faultsTolerated('crash', replicas)
  output.error(
    `warning: ${replicas} replicas survive ${crashes} ${crashes === 1 ? 'crash' : 'crashes'}, no more than ${replicas - 1} do, and each block waits for one more of them`,
  )
}

async function sweep(request: SimRequest, output: Output): Promise<SweepResult> {
  const { sweep: options, from, to, jobs, minutes } = request
  const resume = request.resume === null ? null : openResume(request.resume, options, sourcesHash())
  const { finished, left } = partition(chunksOf(from, to), resume?.done ?? [])
  const summary = emptySummary()
  for (const { summary: part } of finished) addSummary(summary, part)
  const failedBefore = summary.violated
  const total = to - from + 1
  const show = (): void => {
    const failed = summary.violated === 0 ? 'none failed' : `${summary.violated} failed`
    output.progress(`${progressBar(summary.seeds, total)} seeds, ${eventRate(summary)} events a CPU second, ${failed}`)
  }
  let interrupted = false
  const interrupt = (): void => void (interrupted = true)
  process.on('SIGINT', interrupt)
  show()
  try {
    await runSweep({
      options,
      chunks: left,
      jobs,
      deadlineMs: minutes === null ? null : Date.now() + minutes * 60_000,
      stopped: () => interrupted,
      enough: () => summary.violated - failedBefore >= request.stopAfter,
      onChunk: (chunk, part) => {
        addSummary(summary, part)
        resume?.add(chunk, part)
        show()
      },
      onCrash: (failure) => addFailure(summary, failure),
    })
  } finally {
    process.off('SIGINT', interrupt)
  }
  const state = interrupted ? 'interrupted' : summary.seeds < total ? 'incomplete' : 'complete'
  return { summary, state, minima: coverageMinima(options.protocol, options.replicas, options.faults) }
}

function traceOne(request: SimRequest, path: string, output: Output): number {
  const { twiceEvery: _once, ...options } = request.sweep
  const trace = openTrace(path)
  const report = runSeed({ ...options, seed: request.from, trace: trace.line })
  trace.end(report)
  if (request.json) {
    const summary = emptySummary()
    addReport(summary, report)
    output.out(JSON.stringify(asJson(request, { summary, state: 'complete', minima: [] })))
  } else if (path !== '-') output.out(`seed ${request.from} ${report.verdict}; its timeline is in ${path}`)
  return report.verdict === 'violated' ? exitCode.failed : exitCode.ok
}
