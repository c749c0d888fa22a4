// Each scenario gives the trace that stands in its file. `npm run scenarios:accept` writes the traces anew, on purpose only: look at
// what it changed.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runScenario } from './script.ts'

const folder = fileURLToPath(new URL('./raft/', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))

describe('raft scenarios', () => {
  it.each(files)('%s', async (name) => {
    await expect(runScenario(readFileSync(folder + name, 'utf8'))).toMatchFileSnapshot(folder + name)
  })

  it('are there, and say what they show', () => {
    expect(files.length).toBeGreaterThanOrEqual(15)
    for (const name of files) expect(readFileSync(folder + name, 'utf8')).toMatch(/^# /)
  })
})
