// Goal: a key survives its file, a wrong or exposed file is refused with a sentence that helps, and no secret leaks on the way.
// Method: each refusal once in a temporary directory, and arbitrary text for totality.

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import {
  generateKeyPair,
  keyFileBytesMax,
  keyPurposes,
  readKeyFile,
  writeKeyFile,
} from '../../src/crypto/node/key-file.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'key-file-'))
  path = join(directory, 'consensus.key')
})
afterEach(() => rmSync(directory, { recursive: true }))

const stored = (): Record<string, unknown> => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
const store = (content: unknown): void => writeFileSync(path, JSON.stringify(content), { mode: 0o600 })

function refusalOf(purpose: 'consensus' | 'link' | 'client' = 'consensus'): string {
  const result = readKeyFile(path, purpose)
  if (result.ok) throw new Error('the file was accepted')
  expect(result.message).toContain(path)
  expect(result.message).toMatch(/; [a-z]/)
  return result.code
}

describe('a key file', () => {
  it('gives back the key that was written, for each purpose', () => {
    for (const purpose of keyPurposes) {
      const file = join(directory, purpose)
      const pair = generateKeyPair(purpose)
      expect(writeKeyFile(file, pair)).toEqual({ ok: true })
      expect(readKeyFile(file, purpose)).toEqual({ ok: true, pair })
      expect(nodeEd25519.isValidPublicKey(pair.publicKey)).toBe(true)
    }
  })

  it('holds a new key each time', () => {
    expect(generateKeyPair('link').secretKey).not.toEqual(generateKeyPair('link').secretKey)
  })

  it('is readable by its owner only, whatever the umask', () => {
    const umask = process.umask(0)
    writeKeyFile(path, generateKeyPair('consensus'))
    process.umask(0o777)
    writeKeyFile(join(directory, 'second'), generateKeyPair('consensus'))
    process.umask(umask)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(directory, 'second')).mode & 0o777).toBe(0o600)
  })

  it('is never overwritten, not even through a link that leads nowhere', () => {
    writeKeyFile(path, generateKeyPair('consensus'))
    const before = readFileSync(path, 'utf8')
    expect(writeKeyFile(path, generateKeyPair('consensus'))).toMatchObject({ ok: false, code: 'ERR_KEY_FILE_EXISTS' })
    expect(readFileSync(path, 'utf8')).toBe(before)
    const dangling = join(directory, 'dangling')
    symlinkSync(join(directory, 'elsewhere'), dangling)
    expect(writeKeyFile(dangling, generateKeyPair('consensus'))).toMatchObject({ code: 'ERR_KEY_FILE_EXISTS' })
  })

  it('is not created where there is no directory', () => {
    const result = writeKeyFile(join(directory, 'missing', 'a.key'), generateKeyPair('client'))
    expect(result).toMatchObject({ ok: false, code: 'ERR_KEY_FILE_IO' })
  })
})

describe('reading refuses', () => {
  beforeEach(() => {
    writeKeyFile(path, generateKeyPair('consensus'))
  })

  it('a file that is not there, and one that is none', () => {
    rmSync(path)
    expect(refusalOf()).toBe('ERR_KEY_FILE_NOT_FOUND')
    mkdirSync(path)
    expect(refusalOf()).toBe('ERR_KEY_FILE_FORMAT')
    rmSync(path, { recursive: true })
    execFileSync('mkfifo', ['-m', '600', path])
    expect(refusalOf()).toBe('ERR_KEY_FILE_FORMAT')
    expect(readKeyFile('\0', 'link')).toMatchObject({ ok: false, code: 'ERR_KEY_FILE_IO' })
  })

  it('a file that group or others may use in any way', () => {
    for (const mode of [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o666]) {
      chmodSync(path, mode)
      expect(refusalOf()).toBe('ERR_KEY_FILE_PERMISSIONS')
    }
    chmodSync(path, 0o400)
    expect(readKeyFile(path, 'consensus').ok).toBe(true)
  })

  it('a file above the limit, and not one at the limit', () => {
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.padEnd(keyFileBytesMax))
    expect(readKeyFile(path, 'consensus').ok).toBe(true)
    writeFileSync(path, text.padEnd(keyFileBytesMax + 1))
    expect(refusalOf()).toBe('ERR_KEY_FILE_TOO_LARGE')
  })

  it('a key for another purpose', () => {
    expect(refusalOf('link')).toBe('ERR_KEY_FILE_PURPOSE')
    expect(refusalOf('client')).toBe('ERR_KEY_FILE_PURPOSE')
  })

  it('a later format, before it looks at the fields', () => {
    store({ formatVersion: 2, somethingNew: true })
    expect(refusalOf()).toBe('ERR_KEY_FILE_VERSION')
  })

  it('halves that do not belong together', () => {
    store({ ...stored(), publicKey: Buffer.from(generateKeyPair('link').publicKey).toString('hex') })
    expect(refusalOf()).toBe('ERR_KEY_FILE_MISMATCH')
  })

  it('fields that are missing, too many, or of another form', () => {
    const good = stored()
    const secret = String(good['secretKey'])
    const { secretKey: _, ...withoutSecret } = good
    const changes: unknown[] = [
      withoutSecret,
      { ...good, comment: '' },
      { ...good, formatVersion: '1' },
      { ...good, purpose: 'voting' },
      { ...good, purpose: ['consensus'] },
      { ...good, secretKey: secret.slice(1) },
      { ...good, secretKey: `${secret}00` },
      { ...good, secretKey: 'g'.repeat(64) },
      { ...good, secretKey: `${secret}\n` },
      { ...good, secretKey: [secret] },
      { ...good, publicKey: 7 },
      [good],
      null,
      'text',
    ]
    for (const change of changes) {
      store(change)
      expect(refusalOf()).toBe('ERR_KEY_FILE_FORMAT')
    }
    writeFileSync(path, '')
    expect(refusalOf()).toBe('ERR_KEY_FILE_FORMAT')
  })

  it('without repeating the secret, wherever the text is cut or broken', () => {
    const text = readFileSync(path, 'utf8')
    const secret = String(stored()['secretKey'])
    for (let length = 0; length < text.trimEnd().length; length += 7) {
      writeFileSync(path, text.slice(0, length))
      const result = readKeyFile(path, 'consensus')
      expect(result.ok).toBe(false)
      expect(JSON.stringify(result)).not.toContain(secret.slice(0, 8))
    }
  })

  it('any other bytes, and never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          writeFileSync(path, bytes)
          expect(readKeyFile(path, 'consensus').ok).toBe(false)
        },
      ),
      { numRuns: 200 },
    )
  })
})
