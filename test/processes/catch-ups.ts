// `npm run catchup -- [WAY] [PROTOCOL]`: how a replica that was away catches up under load, and what that costs the others; printed one by one.

import { faultModelOf, protocolNames } from '../../src/kernel/ids.ts'
import { votersMin } from '../../src/kernel/quorum.ts'
import { catchUp, ways } from './catch-up.ts'

const [only = 'all', name = 'raft'] = process.argv.slice(2)
const protocol = protocolNames.find((one) => one === name)
if (protocol === undefined) throw new RangeError(`${name} is no protocol: say ${protocolNames.join(', ')}`)
const megabyte = 1024 * 1024
for (const way of ways) {
  if (only !== 'all' && only !== way) continue
  const report = await catchUp({
    protocol,
    replicas: votersMin(faultModelOf(protocol)),
    way,
    stateBytes: 64 * megabyte,
    missedBytes: 8 * megabyte,
  })
  process.stdout.write(`${JSON.stringify(report)}\n`)
  if (report.verdict !== null) process.exitCode = 1
}
