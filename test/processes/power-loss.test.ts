// Real replicas on a disk that forgets with SIGKILL what was not synced: a few kills of raft's networks of one and three, and of the others' of four.
// Nothing acknowledged is lost, no log is refused. `npm run powerloss` does as many as wanted.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it } from 'vitest'
import { powerLossShapes } from './power-loss/network.ts'
import { runPowerLoss } from './power-loss/run.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

beforeAll(() => {
  // The replicas are processes of their own. Types were checked in the sources.
  const args = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.tools.json', '--noCheck']
  execFileSync(process.execPath, args, { cwd: root })
})

const kills = { raft: 8, pbft: 4, hotstuff: 4 }

it.each(powerLossShapes)(
  '$replicas replicas of $protocol lose nothing acknowledged when their power is cut',
  async (shape) => {
    const report = await runPowerLoss({ shape, kills: kills[shape.protocol], seed: 'test' })
    expect(report.problem).toBeNull()
    expect(report.kills).toBe(kills[shape.protocol])
    expect(report.acknowledged).toBeGreaterThan(20)
    // Without these, power was cut when there was nothing to lose.
    expect(report.lostWrites).toBeGreaterThan(0)
    expect(report.segmentsMade).toBeGreaterThan(0)
  },
  120_000,
)
