// Who may import whom, on the sources as they are; and each rule on a text that breaks it, so that none is asleep.

import { describe, expect, it } from 'vitest'
import { publicEntries, rooms } from './rules.ts'
import { forbiddenImports, importCycle, importsOf, isBarrel, readSources, roomOf } from './sources.ts'

const sources = readSources()

describe('imports', () => {
  it('go only where the rooms allow', () => {
    expect(sources.length).toBeGreaterThan(80)
    expect(sources.flatMap((source) => forbiddenImports(source))).toEqual([])
  })

  it('name files that there are', () => {
    const paths = new Set(sources.map((source) => source.path))
    const missing = sources.flatMap((source) => importsOf(source).filter(({ to, ours }) => ours && !paths.has(to)))
    expect(missing).toEqual([])
  })

  it('make no cycle', () => {
    expect(importCycle(sources)).toEqual([])
  })

  it.each([
    ['protocols/raft/x.ts', "import { y } from '../../execution/executor.ts'"],
    ['protocols/raft/x.ts', "import { y } from '../pbft/pbft.ts'"],
    ['protocols/pbft/x.ts', "import type { y } from '../raft/raft.ts'"],
    ['protocols/raft/x.ts', "import type { y } from '../../crypto/node/y.ts'"],
    ['kernel/x.ts', "import { readFileSync } from 'node:fs'"],
    ['kernel/x.ts', "export * from '../execution/executor.ts'"],
    ['kernel/x.ts', "export { a } from '../execution/executor.ts'"],
    ['kernel/x.ts', "import 'node:fs'"],
    ['kernel/x.ts', "const a = 1; import { b } from 'node:fs'"],
    ['kernel/x.ts', "/* why */ import b from 'node:fs'"],
    ['kernel/x.ts', "let fs: typeof import('node:fs')"],
    ['kernel/x.ts', "const fs = require('node:fs')"],
    ['kernel/x.ts', 'const fs = import(`node:fs`)'],
    ['kernel/x.ts', "import { y } from '../index.ts'"],
    ['kernel/x.ts', "import { y } from '../../test/wire/y.ts'"],
    ['wire/x.ts', "import {\n  a,\n  b,\n} from '../kernel/ids.ts'"],
    ['simulator/x.ts', "import { nodeHasher } from '../crypto/node/sha256-hasher.ts'"],
    ['simulator/x.ts', "import { main } from '../cli/main.ts'"],
    ['storage/log/x.ts', "import { z } from 'some-package'"],
    ['crypto/portable/x.ts', "import { z } from 'node:crypto'"],
    ['crypto/portable/x.ts', "import { z } from '@noble/hashes-of-another'"],
    ['operations/x.ts', "import { nodeHasher } from '../crypto/node/sha256-hasher.ts'"],
    ['client/x.ts', "import { y } from '../network/node/y.ts'"],
    ['client/node.ts', "import { y } from '../simulator/y.ts'"],
    ['execution/x.ts', "const late = import('../cli/main.ts')"],
    ['cli/x.ts', "import { y } from '../../test/wire/y.ts'"],
    ['new-room/x.ts', ''],
    ['other-entry.ts', ''],
  ])('are found where they are forbidden: %s %s', (path, text) => {
    expect(forbiddenImports({ path, text })).toHaveLength(1)
  })

  it.each([
    ['kernel/x.ts', "import { y } from '../wire/codec.ts'"],
    ['kernel/x.ts', "// import { y } from 'node:fs'"],
    ['kernel/x.ts', 'const text = "import { y } from \'node:fs\'"'],
    ['kernel/x.ts', "const bytes = Uint8Array.from('abc', toByte)"],
    ['kernel/x.ts', "const quotes = /['\"`]/\nconst from = 'a'"],
    ['crypto/portable/x.ts', "import { sha256 } from '@noble/hashes/sha2.js'"],
    ['crypto/node/x.ts', "import { createHash } from 'node:crypto'"],
    ['cli/x.ts', "import { y } from '../crypto/node/y.ts'"],
    ['client/node.ts', "import { y } from '../network/node/y.ts'"],
  ])('are not found where there are none, or where they may be: %s %s', (path, text) => {
    expect(forbiddenImports({ path, text })).toEqual([])
  })

  it('are found to make a cycle when they do', () => {
    const cycle = importCycle([
      { path: 'kernel/a.ts', text: "import { b } from './b.ts'" },
      { path: 'kernel/b.ts', text: "import type { c } from './c.ts'" },
      { path: 'kernel/c.ts', text: "import { a } from './a.ts'" },
    ])
    expect(cycle).toEqual(['kernel/a.ts', 'kernel/b.ts', 'kernel/c.ts', 'kernel/a.ts'])
  })

  it('are handed on by the public entries alone', () => {
    const barrels = sources.filter((source) => isBarrel(source)).map((source) => source.path)
    expect(barrels.filter((path) => !publicEntries.includes(path))).toEqual([])
  })

  it.each([
    "export * from './a.ts'",
    "export * as a from './a.ts'",
    "export { a } from './a.ts'",
    "export type {\n  A,\n} from './a.ts'",
  ])('are found to be handed on: %s', (text) => {
    expect(isBarrel({ path: 'kernel/index.ts', text })).toBe(true)
  })

  it('are not found to be handed on where a file exports what it made', () => {
    expect(isBarrel({ path: 'kernel/a.ts', text: "const a = 'from'\nexport { a }\nimport { b } from './b.ts'" })).toBe(
      false,
    )
  })
})

describe('the rooms', () => {
  it('allow no room that there is no rule for', () => {
    const named = Object.values(rooms).flatMap(({ may, mayNot = [] }) => mayNot.concat(may === 'anything' ? [] : may))
    expect(named.filter((room) => rooms[room] === undefined)).toEqual([])
  })

  it('that are pure reach no other that is not, but the reference for cryptography in the simulator', () => {
    const reached = Object.entries(rooms).flatMap(([name, { pure, may }]) =>
      pure && may !== 'anything' ? may.filter((room) => !rooms[room]!.pure).map((room) => `${name} -> ${room}`) : [],
    )
    expect(reached).toEqual(['simulator -> crypto/portable'])
  })

  it('hold a file by its longest name', () => {
    expect(roomOf('replica/driver/driver.ts')).toBe('replica/driver')
    expect(roomOf('replica/core/replica-core.ts')).toBe('replica/core')
    expect(roomOf('client/node.ts')).toBe('client/node.ts')
    expect(roomOf('kernelling/x.ts')).toBeNull()
  })
})
