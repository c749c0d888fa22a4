// `npm run kills -- ROUNDS [SEED]`: the rounds of kills.test.ts, as many as wanted, printed one by one.

import { killRounds } from './kill-rounds.ts'

const [rounds = '20', seed = '1'] = process.argv.slice(2)
const report = await killRounds({
  protocol: 'raft',
  replicas: 3,
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
