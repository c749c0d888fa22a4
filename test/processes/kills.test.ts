// The leader of a real network is killed, started again, and stopped for a while, under load. Nothing acknowledged is lost, and the
// history is linearizable. `npm run kills` does twenty rounds and prints them.

import { expect, it } from 'vitest'
import { killRounds, servedAfterMsMax } from './kill-rounds.ts'

it.each([
  ['raft', 3],
  ['pbft', 4],
] as const)(
  '%s: a leader that is killed or stopped costs time, and no acknowledged operation',
  async (protocol, replicas) => {
    const report = await killRounds({ protocol, replicas, rounds: 6, seed: 'test' })
    expect(report.verdict).toBeNull()
    expect(report.rounds.map((round) => round.servedAfterMs).every((ms) => ms < servedAfterMsMax)).toBe(true)
    expect(report.completed).toBeGreaterThan(500)
  },
  180_000,
)
