// `npm run bench`: in-process throughput of each protocol's cores, printed beside a yardstick of the same run.

import { raft } from '../src/protocols/raft/raft.ts'
import { runInProcess, yardstick } from './in-process.ts'

const runs = 5
const base = { definition: raft, replicas: 3, operationBytes: 128, operationsPerBlock: 1000, blocks: 1000 }

for (const operationsPerEnvelope of [100, 10, 1]) {
  const blocks = operationsPerEnvelope < 100 ? 200 : base.blocks
  runInProcess({ ...base, operationsPerEnvelope, blocks: 50 })
  const rates: number[] = []
  for (let run = 0; run < runs; run++) {
    const { cpuSeconds, operations } = runInProcess({ ...base, operationsPerEnvelope, blocks })
    rates.push(operations / cpuSeconds)
  }
  rates.sort((left, right) => left - right)
  const { hashMegabytes, verifies } = yardstick()
  const [least, median, most] = [rates[0]!, rates[Math.floor(runs / 2)]!, rates.at(-1)!].map((rate) =>
    Math.round(rate).toLocaleString('en'),
  )
  process.stdout.write(
    `raft, 3 cores, ${operationsPerEnvelope} operations an envelope: ${median} operations a CPU second (${least} to ${most}); ` +
      `the same CPU hashes ${Math.round(hashMegabytes)} MB/s and verifies ${Math.round(verifies)} signatures/s\n`,
  )
}
