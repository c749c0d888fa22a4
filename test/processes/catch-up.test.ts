// Goal: a replica that was away comes back by the log, by a snapshot, and by a snapshot while the leader is killed, and nothing that
// clients were told is lost meanwhile. Method: real processes, durable logs, load that is checked; what it costs is printed by
// `npm run catchup`, and asserted by nobody.

import { describe, expect, it } from 'vitest'
import { networkNamed } from '../networks.ts'
import { catchUp } from './catch-up.ts'

const kilobyte = 1024
/**
 * The hardest way of each protocol, and the simplest; `npm run catchup` goes all of them. Under hotstuff the simplest alone: while one of four is
 * away, each turn of it costs view timeouts, and two snapshots of others take minutes.
 */
const cases = [
  ['raft', 'log'],
  ['raft', 'snapshot-while-the-leader-changes'],
  ['pbft', 'snapshot-while-the-leader-changes'],
  ['hotstuff', 'log'],
] as const

describe('a replica that was away', () => {
  it.each(cases)('of %s catches up by %s', { timeout: 120_000 }, async (name, way) => {
    const report = await catchUp({
      ...networkNamed(name),
      way,
      stateBytes: 2_048 * kilobyte,
      missedBytes: (way === 'log' ? 512 : 4_608) * kilobyte,
    })
    expect(report.verdict).toBeNull()
    if (way === 'log') expect(report.restoredHeight).toBe(0)
    else expect(report.restoredHeight).toBeGreaterThan(0)
  })
})
