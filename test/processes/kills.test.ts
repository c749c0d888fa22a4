// A real network under load, whose leader is killed and started again, stopped for a while, or cut off from the others, or one of whose
// replicas lies. Nothing acknowledged is lost, and the history is linearizable. `npm run kills` does twenty rounds and prints them.

import { expect, it } from 'vitest'
import { networkNamed } from '../networks.ts'
import { misfortunes, servedAfterMsMax } from './misfortunes.ts'

it.each([
  ['raft', ['kill', 'pause', 'partition']],
  ['pbft', ['kill', 'pause', 'partition']],
  ['pbft', ['liar']],
  ['hotstuff', ['kill', 'pause', 'partition']],
  ['hotstuff:three-chain', ['kill', 'liar', 'partition']],
] as const)(
  '%s: %s costs time, and no acknowledged operation',
  async (name, faults) => {
    const report = await misfortunes({ ...networkNamed(name), faults, rounds: faults.length, seed: 'test' })
    expect(report.verdict).toBeNull()
    expect(report.rounds.map((round) => round.servedAfterMs).every((ms) => ms < servedAfterMsMax)).toBe(true)
    expect(report.completed).toBeGreaterThan(50)
  },
  180_000,
)
