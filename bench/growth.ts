// `npm run bench:growth`: how the CPU that an operation costs all replicas together grows with their number, for pbft and both rules of hotstuff,
// in turns within one run. Writes docs/performance/cpu-growth.json, and a picture of it beside that.

import { mkdirSync, writeFileSync } from 'node:fs'
import { yardstick } from './in-process.ts'
import { drawPlots, type Plot } from '../src/benchmark/plot/line-plot.ts'
import { contenders, type Contender } from '../src/benchmark/contenders.ts'
import { measure, type Load } from './replica-group.ts'

const folder = 'docs/performance'
const rounds = 3
const sizes = [4, 7, 10, 16, 22, 31]
const compared = contenders.filter(({ protocol }) => protocol !== 'raft')
/** Full blocks, in which clients' signatures are most of it; and small ones, in which the protocol's own are. */
const loads: Omit<Load, 'replicas'>[] = [
  { blocks: 16, operationsPerBlock: 1000, operationsPerEnvelope: 100, operationBytes: 128 },
  { blocks: 32, operationsPerBlock: 100, operationsPerEnvelope: 100, operationBytes: 128 },
]

interface Row {
  contender: string
  replicas: number
  operationsPerBlock: number
  /** CPU of all replicas together for one operation: the median of the rounds, the least, and the most. */
  microseconds: number
  microsecondsMin: number
  microsecondsMax: number
}

const all = loads.flatMap((load) =>
  sizes.flatMap((replicas) =>
    compared.map((contender) => ({ contender, load: { ...load, replicas }, costs: new Array<number>() })),
  ),
)
for (const { contender, load } of all.filter((one) => one.load.replicas === sizes[0])) cost(contender, load)
for (let round = 0; round < rounds; round++) {
  for (const { contender, load, costs } of all) costs.push(cost(contender, load))
}

function cost(contender: Contender, load: Load): number {
  const { cpuSeconds, operations } = measure(contender, load)
  return (cpuSeconds * 1e6) / operations
}

const rows: Row[] = all.map(({ contender, load, costs }) => {
  costs.sort((left, right) => left - right)
  const [least, median, most] = [costs[0]!, costs[rounds >> 1]!, costs.at(-1)!].map((one) => Math.round(one * 10) / 10)
  return {
    contender: contender.name,
    replicas: load.replicas,
    operationsPerBlock: load.operationsPerBlock,
    microseconds: median!,
    microsecondsMin: least!,
    microsecondsMax: most!,
  }
})
const plots = loads.map(({ operationsPerBlock }): Plot => ({
  title: `Blocks of ${operationsPerBlock} operations, 100 to a signed envelope`,
  xName: 'replicas',
  yName: 'µs of CPU of all replicas for one operation',
  lines: compared.map(({ name }) => ({
    name,
    points: rows
      .filter((row) => row.contender === name && row.operationsPerBlock === operationsPerBlock)
      .map(({ replicas, microseconds }) => ({ x: replicas, y: microseconds })),
  })),
}))
const { hashMegabytes, verifies } = yardstick()
const machine = { node: process.version, hashMegabytes: Math.round(hashMegabytes), verifies: Math.round(verifies) }
mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}/cpu-growth.json`, `${JSON.stringify({ machine, rounds, rows }, null, 2)}\n`)
writeFileSync(`${folder}/cpu-growth.svg`, drawPlots(plots))
for (const row of rows) console.log(JSON.stringify(row))
