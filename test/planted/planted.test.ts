// Each planted bug can still be planted: its anchor stands exactly once in the sources. That its finder finds it, `npm run
// planted:recorded` shows.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { plantedBugs } from './bugs.ts'
import { planted } from './plant.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

describe('planted bugs', () => {
  it.each(plantedBugs.map((bug) => [bug.name, bug] as const))('%s can be planted', (_name, bug) => {
    const source = readFileSync(root + bug.file, 'utf8')
    const changed = planted(bug, source)
    expect(changed).not.toBe(source)
    expect(changed).toContain(bug.replace)
  })

  it('have names of their own', () => {
    expect(new Set(plantedBugs.map((bug) => bug.name)).size).toBe(plantedBugs.length)
  })
})
