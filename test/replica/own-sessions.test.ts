// A replica that is killed again and again does not run out of sessions.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OwnSessions, ownSessionsFile, ownSessionsMax } from '../../src/replica/own-sessions.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'quorate-own-sessions-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the sessions that a replica opened', () => {
  it('are found by its next life, the latest of them', () => {
    const sessions = new OwnSessions(folder)
    expect(sessions.read()).toEqual([])
    for (let height = 1; height <= ownSessionsMax + 2; height++) sessions.add({ height, index: 0 })
    const found = new OwnSessions(folder).read()
    expect(found).toHaveLength(ownSessionsMax)
    expect(found.at(-1)).toEqual({ height: ownSessionsMax + 2, index: 0 })
    expect(readFileSync(join(folder, ownSessionsFile), 'utf8').endsWith('\n')).toBe(true)
  })

  it.each([
    '',
    'no JSON',
    '{}',
    '[1, null, {"height": -1, "index": 0}, {"height": 2e300, "index": 0}]',
    '[{"height": 1}]',
  ])('are none where the file says %s', (text) => {
    writeFileSync(join(folder, ownSessionsFile), text)
    expect(new OwnSessions(folder).read()).toEqual([])
  })

  it('are forgotten without harm where nothing can be written', () => {
    const sessions = new OwnSessions(join(folder, 'gone'))
    expect(() => sessions.add({ height: 1, index: 0 })).not.toThrow()
  })
})
