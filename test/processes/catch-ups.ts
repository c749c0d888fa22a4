// `npm run catchup -- [WAY] [PROTOCOL]`: how a replica that was away catches up under load, and what that costs the others; printed one by one.

import { networkNamed } from '../networks.ts'
import { catchUp, ways } from './catch-up.ts'

const [only = 'all', name = 'raft'] = process.argv.slice(2)
const megabyte = 1024 * 1024
for (const way of ways) {
  if (only !== 'all' && only !== way) continue
  const report = await catchUp({
    ...networkNamed(name),
    way,
    stateBytes: 64 * megabyte,
    missedBytes: 8 * megabyte,
    measuredMs: 3_000,
  })
  process.stdout.write(`${JSON.stringify(report)}\n`)
  if (report.verdict !== null) process.exitCode = 1
}
