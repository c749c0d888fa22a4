/**
 * Checks the table of signatures with both backends and without a test runner: `node test/conformance/run-vectors.ts` on any Node that
 * strips types, or `npm run vectors`. A file may be named: `… run-vectors.ts FILE`. With `--libraries` it also counts where the libraries themselves, asked without our rule, differ from the table.
 */

import { createPublicKey, verify as opensslVerify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as noble from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import { portableEd25519 } from '../../src/crypto/portable/ed25519-suite.ts'
import { disagreements, readVectors, type Ed25519Vectors } from './ed25519-table.ts'

const path = process.argv.slice(2).find((argument) => !argument.startsWith('--'))
const vectors = vectorsOf(path ?? new URL('ed25519-vectors.json', import.meta.url))
type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

function vectorsOf(file: string | URL): Ed25519Vectors {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    leave(`${String(file)} cannot be read: name a file of vectors`)
  }
  const read = readVectors(text)
  return read.ok ? read.vectors : leave(`${String(file)}: ${read.message}`)
}

function leave(message: string): never {
  console.error(message)
  process.exit(1)
}

function openssl(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return opensslVerify(null, message, key, signature)
}

function nobleWith(zip215: boolean): Verify {
  return (publicKey, message, signature) => noble.verify(signature, message, publicKey, { zip215 })
}

function total(verify: Verify): Verify {
  return (...input) => {
    try {
      return verify(...input)
    } catch {
      return false
    }
  }
}

console.log(`Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`)
console.log(`${vectors.signatures.length} signatures, ${vectors.keys.length} keys`)
let wrong = 0
for (const [name, backend] of Object.entries({ portable: portableEd25519, node: nodeEd25519 })) {
  const differing = disagreements(vectors, backend)
  wrong += differing.length
  console.log(`${name}: ${differing.length} disagreements`)
  for (const vector of differing) console.log(`  ${vector}`)
}

if (process.argv.includes('--libraries')) {
  noble.hashes.sha512 = sha512
  const libraries = { 'node:crypto': openssl, 'noble, default': nobleWith(true), 'noble, strict': nobleWith(false) }
  const { isValidPublicKey } = portableEd25519
  for (const [name, verify] of Object.entries(libraries)) {
    const differing = new Set(disagreements(vectors, { verify: total(verify), isValidPublicKey }))
    const accepted = vectors.signatures.filter((vector) => differing.has(vector.name) && !vector.valid).length
    console.log(
      `${name}: accepts ${accepted} that the rule refuses, refuses ${differing.size - accepted} that it accepts`,
    )
  }
}
if (wrong > 0) process.exitCode = 1
