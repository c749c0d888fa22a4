// The example's ledger keeps the rules of a state machine: what docs/testing-your-application.md shows, run.

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { checkLedger } from '../../examples/ledger/check-ledger.ts'

it('keeps the rules of a state machine, and its books balance after every block', () => {
  const counts = checkLedger()
  expect(counts).toMatchObject({ runs: 20, commands: 1200 })
  for (const name of ['snapshots', 'restores', 'queries'] as const) expect(counts[name]).toBeGreaterThan(50)
})

it('is the example that the page on testing shows', () => {
  const page = readFileSync(new URL('../../docs/testing-your-application.md', import.meta.url), 'utf8')
  const example = readFileSync(new URL('../../examples/ledger/check-ledger.ts', import.meta.url), 'utf8')
  const snippet = /```ts\n([\s\S]*?)```/.exec(page)![1]!
  expect(example.replace("'../../src/testing/index.ts'", "'quorate/testing'")).toContain(snippet)
})
