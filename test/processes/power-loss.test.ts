// Real replicas on a disk that forgets with SIGKILL what was not synced: ten kills of a network of one, ten of a network of three.
// Nothing acknowledged is lost, no log is refused. `npm run powerloss` does as many as wanted.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it } from 'vitest'
import { runPowerLoss } from './power-loss/run.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

beforeAll(() => {
  // The replicas are processes of their own. Types were checked in the sources.
  const args = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.tools.json', '--noCheck']
  execFileSync(process.execPath, args, { cwd: root })
})

it.each([1, 3] as const)(
  'a network of %i loses nothing acknowledged when its power is cut',
  async (replicas) => {
    const report = await runPowerLoss({ replicas, kills: 10, seed: 'test' })
    expect(report.problem).toBeNull()
    expect(report.kills).toBe(10)
    expect(report.acknowledged).toBeGreaterThan(50)
    // Without these, power was cut when there was nothing to lose.
    expect(report.lostWrites).toBeGreaterThan(0)
    expect(report.segmentsMade).toBeGreaterThan(0)
  },
  120_000,
)
