// `node .tools/bench/cpu-profiles.js DIR [--out DIR] [--skip-seconds 3] [--operations N]`: a flame graph of each CPU profile in a folder, and where the
// CPU went by category. To have profiles of any processes of ours, start them with
//   QUORATE_PROFILE_DIR=DIR NODE_OPTIONS="--import file://$PWD/.tools/src/benchmark/profile-recorder.js"

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readTextFile } from '../src/cli/read-file.ts'
import { cpuShares, threadBreakdown, threadShareOf } from '../src/benchmark/report/cpu-breakdown.ts'
import { frameTree, parseCpuProfile, profileBytesMax } from '../src/benchmark/report/cpu-profile.ts'
import { drawFlameGraph } from '../src/benchmark/report/flame-graph.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    'skip-seconds': { type: 'string', default: '0' },
    operations: { type: 'string' },
  },
})
const dir = positionals[0] ?? '.'
const out = values.out ?? dir
mkdirSync(out, { recursive: true })
for (const name of readdirSync(dir).filter((one) => one.endsWith('.cpuprofile'))) {
  const profile = parseCpuProfile(readTextFile(join(dir, name), profileBytesMax), name)
  const window = { fromUs: profile.startTime + Number(values['skip-seconds']) * 1e6, toUs: profile.endTime }
  const tree = frameTree(profile, window)
  const title = `${name} ${profile.quorate?.command.join(' ') ?? ''}`
  writeFileSync(join(out, `${name}.svg`), drawFlameGraph(tree, title))
  const shares = cpuShares(threadBreakdown(tree), threadShareOf(profile, window))
  const threadSeconds = tree.totalUs / 1e6
  process.stdout.write(`${title}\n  the thread was busy for ${threadSeconds.toFixed(1)} s\n`)
  const usPerOperation =
    values.operations === undefined ? null : tree.totalUs / (1 - shares['other threads']) / Number(values.operations)
  for (const [category, share] of Object.entries(shares).sort(([, one], [, other]) => other - one)) {
    const us = usPerOperation === null ? '' : `${(share * usPerOperation).toFixed(1).padStart(8)} µs an operation`
    process.stdout.write(`  ${category.padEnd(20)}${(100 * share).toFixed(1).padStart(6)}%${us}\n`)
  }
}
