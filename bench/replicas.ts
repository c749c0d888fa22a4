// `npm run bench:replicas [-- CONTENDER ...]`: whole replicas in one process (bench/replica-group.ts), several contenders in turns. Prints operations
// a CPU second of all replicas together beside what hashing and verifying cost in the same run.

import { faultModelOf } from '../src/kernel/ids.ts'
import { votersMin } from '../src/kernel/quorum.ts'
import { yardstick } from './in-process.ts'
import { contenders } from '../src/benchmark/contenders.ts'
import { measure, type Load, type Measured } from './replica-group.ts'

const rounds = 5
const base: Omit<Load, 'replicas'> = {
  blocks: 200,
  operationsPerBlock: 1000,
  operationsPerEnvelope: 100,
  operationBytes: 128,
}

const names = process.argv.length > 2 ? process.argv.slice(2) : ['pbft']
const measured = names.map((name) => {
  const contender = contenders.find((one) => one.name === name)
  if (contender === undefined) {
    throw new RangeError(`${name} is no contender: say ${contenders.map((one) => one.name).join(', ')}`)
  }
  const load: Load = { ...base, replicas: votersMin(faultModelOf(contender.protocol)) }
  measure(contender, load)
  const runs: Measured[] = []
  return { contender, load, runs }
})

// In turns: whatever else the machine does falls on all of them.
for (let round = 0; round < rounds; round++) {
  for (const { contender, load, runs } of measured) runs.push(measure(contender, load))
}
const { hashMegabytes, verifies } = yardstick()
for (const { contender, load, runs } of measured) {
  const rates = runs.map(({ operations, cpuSeconds }) => operations / cpuSeconds).sort((left, right) => left - right)
  const [least, median, most] = [rates[0]!, rates[rounds >> 1]!, rates.at(-1)!].map((rate) =>
    Math.round(rate).toLocaleString('en'),
  )
  process.stdout.write(
    `${contender.name}, ${load.replicas} replicas with executors, ${load.operationsPerEnvelope} operations of ${load.operationBytes} bytes an envelope, ` +
      `blocks of ${load.operationsPerBlock}: ${median} operations a CPU second (${least} to ${most}), ${load.blocks} full blocks in ${runs.at(-1)!.blocks}; ` +
      `the same CPU hashes ${Math.round(hashMegabytes)} MB/s and verifies ${Math.round(verifies)} signatures/s\n`,
  )
}
