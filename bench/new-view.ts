// What a NEW-VIEW costs the CPU of one backup with real signatures: every slot of every window prepared, the primary dead, everybody else up
// (docs/protocols/pbft.md). `npm run bench:new-view [-- VOTERS WINDOW]`.

import { nodeEd25519 } from '../src/crypto/node/ed25519-suite.ts'
import { defaultParameters } from '../src/kernel/parameters.ts'
import { kinds, timeoutMs, type PbftInput } from '../test/protocols/pbft/bench.ts'
import { fullWindows, upOf } from '../test/protocols/pbft/view-change-costs.ts'
import { yardstick } from './in-process.ts'

const [voters, windowBlocks] = [Number(process.argv[2] ?? 31), Number(process.argv[3] ?? 128)]
const bench = fullWindows(voters, windowBlocks, nodeEd25519)
const up = upOf(bench)
const newPrimary = 2
const backup = up.find(({ id }) => id !== newPrimary)!

/** Milliseconds of CPU in this backup alone, and its longest step. */
const spent = { totalMs: 0, longestMs: 0, checked: 0 }
const step = backup.step.bind(backup)
backup.step = (input: PbftInput): void => {
  const before = process.cpuUsage()
  step(input)
  const { user, system } = process.cpuUsage(before)
  const ms = (user + system) / 1000
  spent.totalMs += ms
  spent.longestMs = Math.max(spent.longestMs, ms)
}

function taken(): string {
  const checked = backup.signatures.checked - spent.checked
  const words = `${Math.round(spent.totalMs)} ms of CPU, longest step ${spent.longestMs.toFixed(1)} ms, ${checked} signatures checked`
  spent.totalMs = spent.longestMs = 0
  spent.checked = backup.signatures.checked
  return words
}

function judgeUntil(isDone: () => boolean, delivered: readonly string[]): void {
  for (let round = 0; !isDone(); round++) {
    if (round > 100_000) throw new Error('no view is reached')
    for (const replica of up) if (replica.timers.has('judge')) replica.fire('judge')
    bench.settle(kinds(...(delivered as Parameters<typeof kinds>)))
  }
}

bench.elapse(timeoutMs + 1, kinds('view-change'))
const isIdle = (): boolean =>
  up.every(({ timers }) => !timers.has('judge')) && bench.network.every(({ message }) => message.kind !== 'view-change')
judgeUntil(isIdle, ['view-change', 'ask-view-changes'])
process.stdout.write(`n=${voters}, window ${windowBlocks}: a backup, while view changes come in: ${taken()}\n`)
judgeUntil(() => backup.status.leader === newPrimary, ['view-change', 'new-view', 'ask-view-changes'])
process.stdout.write(`from the NEW-VIEW until it is entered: ${taken()}\n`)
const { verifies } = yardstick()
const { timeoutMsBase } = defaultParameters('required').timers
process.stdout.write(
  `the same CPU verifies ${Math.round(verifies)} signatures/s; base view timeout ${timeoutMsBase} ms\n`,
)
