/**
 * A secret key on disk, in a file of its own: JSON with a format version, what the key is for, and both halves in hex. One file serves
 * one purpose, so that the key of a link is never used to vote. Reading refuses whatever looks wrong and says what to do about it.
 */

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { secretKeyBytes } from '../portable/ed25519-suite.ts'
import { nodeEd25519 } from './ed25519-suite.ts'

export type KeyPurpose = 'consensus' | 'link' | 'client'
export const keyPurposes: readonly KeyPurpose[] = ['consensus', 'link', 'client']

export interface KeyPair {
  purpose: KeyPurpose
  publicKey: Uint8Array
  secretKey: Uint8Array
}

export type KeyFileErrorCode =
  | 'ERR_KEY_FILE_EXISTS' // refused to overwrite
  | 'ERR_KEY_FILE_NOT_FOUND'
  | 'ERR_KEY_FILE_PERMISSIONS' // others than the owner may read or write it
  | 'ERR_KEY_FILE_TOO_LARGE'
  | 'ERR_KEY_FILE_FORMAT' // no key file, or a damaged one
  | 'ERR_KEY_FILE_VERSION' // of a later release
  | 'ERR_KEY_FILE_PURPOSE' // a key for something else
  | 'ERR_KEY_FILE_MISMATCH' // the halves do not belong together
  | 'ERR_KEY_FILE_IO'

export interface KeyFileError {
  ok: false
  code: KeyFileErrorCode
  /** One sentence, with the next step. */
  message: string
}

/** A key file has about 250 bytes. */
export const keyFileBytesMax = 4096
export const keyFileVersion = 1
const fieldNames = ['formatVersion', 'publicKey', 'purpose', 'secretKey']

/** A new key of the operating system's randomness. */
export function generateKeyPair(purpose: KeyPurpose): KeyPair {
  const secretKey = Uint8Array.from(randomBytes(secretKeyBytes))
  return { purpose, publicKey: nodeEd25519.signer(secretKey).publicKey, secretKey }
}

/** Creates the file, readable by its owner only, and returns when it is on disk. Never overwrites: a lost key cannot be made again. */
export function writeKeyFile(path: string, pair: KeyPair): { ok: true } | KeyFileError {
  const [publicKey, secretKey] = [toHex(pair.publicKey), toHex(pair.secretKey)]
  const content = { formatVersion: keyFileVersion, purpose: pair.purpose, publicKey, secretKey }
  let descriptor: number
  try {
    descriptor = openSync(path, 'wx', 0o600)
  } catch (error) {
    return codeOf(error) === 'EEXIST'
      ? refuse(
          'ERR_KEY_FILE_EXISTS',
          `${path} exists and is not overwritten; choose another name, or move that key away`,
        )
      : refuse(
          'ERR_KEY_FILE_IO',
          `${path} cannot be created (${codeOf(error)}); check that its directory exists and is yours`,
        )
  }
  try {
    fchmodSync(descriptor, 0o600)
    writeFileSync(descriptor, `${JSON.stringify(content, null, 2)}\n`)
    fsyncSync(descriptor)
    return { ok: true }
  } catch (error) {
    discard(path)
    return refuse(
      'ERR_KEY_FILE_IO',
      `${path} cannot be written (${codeOf(error)}); free space on its disk and try again`,
    )
  } finally {
    closeSync(descriptor)
  }
}

/** Reads a key for one purpose. Total: whatever lies at the path, the answer is a key or an error. */
export function readKeyFile(path: string, purpose: KeyPurpose): { ok: true; pair: KeyPair } | KeyFileError {
  const read = readOwnFile(path)
  if (!read.ok) return read
  const damaged = (what: string): KeyFileError =>
    refuse('ERR_KEY_FILE_FORMAT', `${path} is no key file (${what}); restore it from a backup, or generate a new key`)
  const content = parseObject(read.text)
  if (content === null) return damaged('not a JSON object')
  if (!Number.isSafeInteger(content['formatVersion'])) return damaged('formatVersion is missing')
  if (content['formatVersion'] !== keyFileVersion) {
    const version = `${path} has format ${String(content['formatVersion'])}, this release reads ${keyFileVersion}`
    return refuse('ERR_KEY_FILE_VERSION', `${version}; use the release that wrote it`)
  }
  if (Object.keys(content).sort().join() !== fieldNames.join())
    return damaged(`its fields are not ${fieldNames.join(', ')}`)
  if (!keyPurposes.some((known) => known === content['purpose'])) return damaged('its purpose is unknown')
  if (content['purpose'] !== purpose) {
    const found = `${path} holds a ${String(content['purpose'])} key where a ${purpose} key is needed`
    return refuse('ERR_KEY_FILE_PURPOSE', `${found}; name the right file, or generate one for ${purpose}`)
  }
  const publicKey = fromHex(content['publicKey'])
  const secretKey = fromHex(content['secretKey'])
  if (publicKey === null || secretKey === null) return damaged('its keys are not 64 lowercase hex digits')
  if (toHex(nodeEd25519.signer(secretKey).publicKey) !== toHex(publicKey)) {
    const found = `${path} is damaged: its public key does not belong to its secret key`
    return refuse('ERR_KEY_FILE_MISMATCH', `${found}; restore it from a backup, or generate a new key`)
  }
  return { ok: true, pair: { purpose, publicKey, secretKey } }
}

/** Checks the file that was opened, and not its name: nobody can exchange it in between. Opening never waits for a pipe's other end. */
function readOwnFile(path: string): { ok: true; text: string } | KeyFileError {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    return codeOf(error) === 'ENOENT'
      ? refuse('ERR_KEY_FILE_NOT_FOUND', `${path} does not exist; generate a key, or correct the path`)
      : refuse(
          'ERR_KEY_FILE_IO',
          `${path} cannot be opened (${codeOf(error)}); check that it belongs to the user who runs this`,
        )
  }
  try {
    const status = fstatSync(descriptor)
    if (!status.isFile()) return refuse('ERR_KEY_FILE_FORMAT', `${path} is not a regular file; correct the path`)
    if (process.platform !== 'win32' && (status.mode & 0o077) !== 0) {
      const mode = (status.mode & 0o777).toString(8).padStart(3, '0')
      const found = `${path} has mode ${mode}, so that others than its owner may use the key`
      return refuse(
        'ERR_KEY_FILE_PERMISSIONS',
        `${found}; run chmod 600 on it, and replace the key if someone may have read it`,
      )
    }
    const bytes = Buffer.alloc(keyFileBytesMax + 1)
    const length = readSync(descriptor, bytes, 0, bytes.length, 0)
    if (length > keyFileBytesMax) {
      return refuse(
        'ERR_KEY_FILE_TOO_LARGE',
        `${path} has more than ${keyFileBytesMax} bytes and is no key file; correct the path`,
      )
    }
    return { ok: true, text: bytes.toString('utf8', 0, length) }
  } catch (error) {
    return refuse('ERR_KEY_FILE_IO', `${path} cannot be read (${codeOf(error)}); check its disk`)
  } finally {
    closeSync(descriptor)
  }
}

/** A half-written key would be in the way of the next attempt. Where it cannot be removed, that attempt says that it exists. */
function discard(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // The first error is the one to report.
  }
}

/** The parser's own words are dropped: they quote the text, which holds the secret. */
function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

function refuse(code: KeyFileErrorCode, message: string): KeyFileError {
  return { ok: false, code, message }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown'
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

function fromHex(value: unknown): Uint8Array | null {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) return null
  return Uint8Array.from(Buffer.from(value, 'hex'))
}
