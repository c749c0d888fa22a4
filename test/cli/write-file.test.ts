// Goal: a file that somebody needs is never lost to a command, nor seen in part. Method: each way of being in the way.

import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMember } from '../../src/cli/setup/member-keys.ts'
import { createFile, createOrReplaceInput } from '../../src/cli/write-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-write-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (...names: string[]): string => join(folder, ...names)

describe('a file that is created', () => {
  it('has its text, and is not created where anything is', () => {
    createFile(at('file'), 'text')
    symlinkSync(at('nothing'), at('link'))
    mkdirSync(at('folder'))
    for (const name of ['file', 'link', 'folder']) {
      expect(() => createFile(at(name), 'other')).toThrow(`${at(name)} exists and is not overwritten`)
    }
    expect(readFileSync(at('file'), 'utf8')).toBe('text')
    expect(readdirSync(folder).sort()).toEqual(['file', 'folder', 'link'])
  })

  it('cannot be where no folder is', () => {
    expect(() => createFile(at('none', 'file'), 'text')).toThrow(/cannot be written \(ENOENT\)/)
  })
})

describe('a file that replaces an input', () => {
  it('leaves whoever reads the old one with the whole of it', () => {
    writeFileSync(at('file'), 'old')
    const reading = openSync(at('file'), 'r')
    createOrReplaceInput(at('file'), 'the new text', [at('.', 'file')])
    expect(readFileSync(reading, 'utf8')).toBe('old')
    closeSync(reading)
    expect(readFileSync(at('file'), 'utf8')).toBe('the new text')
    expect(readdirSync(folder)).toEqual(['file'])
  })

  it('is the file behind a link', () => {
    writeFileSync(at('file'), 'old')
    symlinkSync(at('file'), at('link'))
    createOrReplaceInput(at('link'), 'new', [at('link')])
    expect([readFileSync(at('link'), 'utf8'), readFileSync(at('file'), 'utf8')]).toEqual(['new', 'new'])
  })

  it('is created where nothing is, and refused where something else is', () => {
    writeFileSync(at('input'), 'old')
    createOrReplaceInput(at('new'), 'text', [at('input')])
    expect(readFileSync(at('new'), 'utf8')).toBe('text')
    expect(() => createOrReplaceInput(at('new'), 'other', [at('input')])).toThrow('exists and is not overwritten')
    expect(readFileSync(at('new'), 'utf8')).toBe('text')
  })

  it('leaves nothing beside it when it cannot be written', () => {
    mkdirSync(at('folder'))
    writeFileSync(at('folder', 'full'), '')
    expect(() => createOrReplaceInput(at('folder'), 'text', [at('folder')])).toThrow(/cannot be written/)
    expect(readdirSync(folder)).toEqual(['folder'])
  })
})

describe('the files of a member', () => {
  it('are made all, or none', () => {
    // Found only when it is written: nothing is at its end.
    symlinkSync(at('nothing'), at('member.json'))
    const plan = { dir: folder, name: 'org', role: 'voter', addresses: [], priority: 0 } as const
    expect(() => createMember({ ...plan, addresses: [] })).toThrow('member.json exists and is not overwritten')
    expect(readdirSync(folder)).toEqual(['member.json'])
  })
})
