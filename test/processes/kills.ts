// `npm run kills -- ROUNDS [SEED] [NETWORK] [FAULT,FAULT...]`: the rounds of kills.test.ts, as many as wanted, printed one by one.
// A network is a protocol, and for hotstuff its commit rule too: `hotstuff:three-chain`.

import { networkNamed } from '../networks.ts'
import { faultNames, misfortunes, type FaultName } from './misfortunes.ts'

const [rounds = '20', seed = '1', name = 'raft', wanted = 'kill,kill,pause'] = process.argv.slice(2)
const faults = wanted.split(',').map((one): FaultName => {
  const fault = faultNames.find((known) => known === one)
  if (fault === undefined) throw new RangeError(`${one} is no fault: say ${faultNames.join(', ')}`)
  return fault
})
const report = await misfortunes({
  ...networkNamed(name),
  faults,
  rounds: Number(rounds),
  seed,
  onRound: (round) => process.stdout.write(`${JSON.stringify(round)}\n`),
})
const times = report.rounds.map((round) => round.servedAfterMs).sort((left, right) => left - right)
const summary = {
  rounds: report.rounds.length,
  completed: report.completed,
  unknown: report.unknown,
  problems: report.problems,
  verdict: report.verdict ?? 'linearizable',
  servedAfterMs: { median: times[times.length >> 1], max: times.at(-1) },
  heights: report.heights,
}
process.stdout.write(`${JSON.stringify(summary)}\n`)
process.exitCode = report.verdict === null ? 0 : 1
