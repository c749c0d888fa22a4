// Goal: a replica that was away comes back by the log, by a snapshot, and by a snapshot while the leader is killed, and nothing that
// clients were told is lost meanwhile. Method: real processes, durable logs, load that is checked; what it costs is printed by
// `npm run catchup`, and asserted by nobody.

import { describe, expect, it } from 'vitest'
import { networkNamed } from '../networks.ts'
import { catchUp } from './catch-up.ts'

const kilobyte = 1024
/** The simplest way, and the hardest of two protocols; `npm run catchup` goes all of them, and hotstuff's, which takes a minute. */
const cases = [
  ['raft', 'log'],
  ['raft', 'snapshot-while-the-leader-changes'],
  ['pbft', 'snapshot-while-the-leader-changes'],
] as const

describe('a replica that was away', () => {
  it.each(cases)('of %s catches up by %s', { timeout: 120_000 }, async (name, way) => {
    const report = await catchUp({
      ...networkNamed(name),
      way,
      stateBytes: 2_048 * kilobyte,
      missedBytes: (way === 'log' ? 512 : 4_608) * kilobyte,
      measuredMs: 250,
    })
    expect(report.verdict).toBeNull()
    if (way === 'log') expect(report.restoredHeight).toBe(0)
    else expect(report.restoredHeight).toBeGreaterThan(0)
  })
})
