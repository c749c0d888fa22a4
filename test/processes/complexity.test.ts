// Counting real processes ends, whatever they do, and says what it waited for.

import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { blockOnProcesses as Counting } from '../../src/benchmark/complexity/processes.ts'
import { contenders } from '../../src/benchmark/contenders.ts'
import { buildCli, type BuiltCli } from '../cli/built-cli.ts'

let cli: BuiltCli
beforeAll(() => {
  cli = buildCli()
}, 60_000)
afterAll(() => cli.remove())

it('is given up in time, and leaves nothing behind', async () => {
  // Replicas are processes of the compiled command line.
  const url = pathToFileURL(join(cli.folder, 'dist/benchmark/complexity/processes.js')).href
  const { blockOnProcesses } = (await import(url)) as { blockOnProcesses: typeof Counting }
  const raft = contenders.find(({ name }) => name === 'raft')!
  const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('quorate-complexity-'))
  const before = folders()
  // Raft's first election alone takes longer.
  const given = await blockOnProcesses(raft, 3, AbortSignal.timeout(60_000), 1_000)
  expect(given).toEqual({
    givenUp: expect.stringMatching(/^given up after 1 s, waiting for (all replicas|a link|replica)/),
  })
  expect(folders().filter((name) => !before.includes(name))).toEqual([])
})
