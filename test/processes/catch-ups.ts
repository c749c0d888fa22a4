// `npm run catchup -- [WAY]`: how a replica that was away catches up under load, and what that costs the others; printed one by one.

import { catchUp, ways } from './catch-up.ts'

const [only] = process.argv.slice(2)
const megabyte = 1024 * 1024
for (const way of ways) {
  if (only !== undefined && only !== way) continue
  const report = await catchUp({
    protocol: 'raft',
    replicas: 3,
    way,
    stateBytes: 64 * megabyte,
    missedBytes: 8 * megabyte,
  })
  process.stdout.write(`${JSON.stringify(report)}\n`)
  if (report.verdict !== null) process.exitCode = 1
}
