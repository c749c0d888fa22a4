// `npm run powerloss -- --kills 500 --protocol raft --replicas 3 --seed 1 [--resume FILE] [--json] [--record]`: kills real replicas, whose disk forgets
// what was not synced. Exit codes: 0 nothing was lost, 1 something was, 2 wrong use, 130 Ctrl-C.

import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { PowerLossReport } from './report.ts'
import { powerLossShapes } from './network.ts'
import { killsPerBatch, runPowerLoss } from './run.ts'

const recordFile = 'docs/sweeps.jsonl'

interface ResumeLine {
  options: string
  batch: number
  report: PowerLossReport
}

const { kills, shape, seed, resume, json, record } = readOptions()
const { protocol, replicas } = shape
// Asked for before the run: what is committed meanwhile was not in it.
const head = record ? headOfRecord() : {}
const options = JSON.stringify({ kills, protocol, replicas, seed, killsPerBatch })
const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort())

try {
  const report = await runPowerLoss({
    shape,
    kills,
    seed,
    signal: interruption.signal,
    done: readDone(),
    onKill: (kill) => {
      if (json) process.stdout.write(`${JSON.stringify(kill)}\n`)
      else if (process.stderr.isTTY) process.stderr.write(`\r${bar(kill.kill)} ${kill.kill} of ${kills} kills `)
    },
    onBatch: (batch, report) => {
      if (resume !== null)
        appendFileSync(resume, `${JSON.stringify({ options, batch, report } satisfies ResumeLine)}\n`)
    },
  })
  finish(report)
} catch (error) {
  if (!interruption.signal.aborted) throw error
  process.stderr.write('\ninterrupted: --resume FILE keeps the batches that are done\n')
  process.exitCode = 130
}

function finish(report: PowerLossReport): void {
  if (!json && process.stderr.isTTY) process.stderr.write('\n')
  const lines = Object.entries(report).map(([name, value]) => `${name.padEnd(18)} ${value ?? 'none'}`)
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${lines.join('\n')}\n`)
  if (record)
    appendFileSync(recordFile, `${JSON.stringify({ ...head, powerLoss: { protocol, replicas, seed, ...report } })}\n`)
  process.exitCode = report.problem === null ? 0 : 1
}

function headOfRecord(): object {
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD'),
    modified: git('status', '--porcelain', '--', 'src') !== '',
    node: process.version,
    processors: cpus().length,
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim()
}

function readDone(): Map<number, PowerLossReport> {
  if (resume === null || !existsSync(resume)) return new Map()
  const lines = readFileSync(resume, 'utf8').trim().split('\n')
  const batches = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ResumeLine)
  return new Map(batches.filter((one) => one.options === options).map(({ batch, report }) => [batch, report]))
}

function bar(kill: number): string {
  const width = 30
  const full = Math.round((kill / kills) * width)
  return `[${'='.repeat(full)}${' '.repeat(width - full)}]`
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        kills: { type: 'string', default: '500' },
        protocol: { type: 'string', default: 'raft' },
        replicas: { type: 'string' },
        seed: { type: 'string', default: '1' },
        resume: { type: 'string' },
        json: { type: 'boolean', default: false },
        record: { type: 'boolean', default: false },
      },
    })
    const kills = Number(values.kills)
    if (!Number.isSafeInteger(kills) || kills < 1) throw new Error(`--kills ${values.kills} is no positive integer`)
    const fitting = powerLossShapes.filter((one) => one.protocol === values.protocol)
    const shape = fitting.find((one) => one.replicas === Number(values.replicas ?? fitting.at(-1)!.replicas))
    if (shape === undefined) {
      const known = powerLossShapes.map((one) => `${one.replicas} of ${one.protocol}`)
      throw new Error(
        `${values.replicas ?? 'replicas'} of ${values.protocol} is none of the networks: ${known.join(', ')}`,
      )
    }
    const { seed, resume = null, json, record } = values
    return { kills, shape, seed, resume, json, record } as const
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(2)
  }
}
