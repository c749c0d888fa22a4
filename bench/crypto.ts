/**
 * What signing, verifying and hashing cost here, for both backends: `node bench/crypto.ts` on a Node that strips types. Each figure is
 * the best of five rounds: on a shared machine the fastest round is the least disturbed one.
 */

import { createHash } from 'node:crypto'
import { nodeEd25519 } from '../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../src/crypto/node/sha256-hasher.ts'
import { portableEd25519 } from '../src/crypto/portable/ed25519-suite.ts'
import { portableHasher } from '../src/crypto/portable/sha256-hasher.ts'
import type { Hasher, SignatureSuite } from '../src/kernel/crypto-ports.ts'

const rounds = 5
const roundMs = 100

/** Microseconds for one call, in the best round. */
function measure(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    let calls = 0
    while (performance.now() - start < roundMs) {
      work()
      calls++
    }
    best = Math.min(best, ((performance.now() - start) * 1000) / calls)
  }
  return best
}

const suites: Record<string, SignatureSuite> = { node: nodeEd25519, portable: portableEd25519 }
const createHashHasher: Hasher = { digest: (bytes) => createHash('sha256').update(bytes).digest() }
const hashers: Record<string, Hasher> = { node: nodeHasher, createHash: createHashHasher, portable: portableHasher }
const message = new Uint8Array(200).fill(7)

console.log(`Node ${process.versions.node}, OpenSSL ${process.versions.openssl}, one thread`)
console.log('\nbackend     operation                µs     a second')
for (const [name, suite] of Object.entries(suites)) {
  const signer = suite.signer(new Uint8Array(32).fill(5))
  const signature = signer.sign(message)
  const works: Record<string, () => unknown> = {
    'sign 200 B': () => signer.sign(message),
    'verify 200 B': () => suite.verify(signer.publicKey, message, signature),
    isValidPublicKey: () => suite.isValidPublicKey(signer.publicKey),
  }
  for (const [work, call] of Object.entries(works)) {
    const us = measure(call)
    console.log(
      `${name.padEnd(11)} ${work.padEnd(18)} ${us.toFixed(1).padStart(8)} ${(1e6 / us).toFixed(0).padStart(12)}`,
    )
  }
}

console.log('\nbackend     digest of                µs         MB/s')
for (const [name, hasher] of Object.entries(hashers)) {
  for (const length of [64, 1024, 128 * 1024]) {
    const bytes = new Uint8Array(length).fill(3)
    const us = measure(() => hasher.digest(bytes))
    const size = `${length} B`.padEnd(18)
    console.log(`${name.padEnd(11)} ${size} ${us.toFixed(2).padStart(8)} ${(length / us).toFixed(0).padStart(12)}`)
  }
}
