// OpenSSL wants a key as an object. Making one costs about 6 µs, a twentieth of a verification, so the keys in use are kept.

import { createPublicKey, type KeyObject } from 'node:crypto'

/** Keys of one generation; two are held. A network has at most 128 replicas, the rest is for clients. */
export const publicKeyCacheEntriesMax = 4096

export class PublicKeyCache {
  readonly #entriesMax: number
  /**
   * When the current generation is full it becomes the old one, and the old one is dropped. A key that is used in every generation
   * stays, so a flood of new keys costs each known one no more than one import per generation.
   */
  #current = new Map<string, KeyObject>()
  #old = new Map<string, KeyObject>()

  constructor(entriesMax: number = publicKeyCacheEntriesMax) {
    if (!Number.isInteger(entriesMax) || entriesMax < 1) {
      throw new RangeError(`entriesMax is ${entriesMax}; it must be a whole number of at least 1`)
    }
    this.#entriesMax = entriesMax
  }

  /** Keys held, in both generations. */
  get size(): number {
    return this.#current.size + this.#old.size
  }

  /** Null if this OpenSSL refuses the bytes as a key: those we know refuse none of 32 bytes here, but at verification. */
  get(publicKey: Uint8Array): KeyObject | null {
    const name = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.length).toString('base64url')
    const current = this.#current.get(name)
    if (current !== undefined) return current
    const key = this.#old.get(name) ?? importKey(name)
    if (key !== null) this.#keep(name, key)
    return key
  }

  #keep(name: string, key: KeyObject): void {
    if (this.#current.size >= this.#entriesMax) {
      this.#old = this.#current
      this.#current = new Map()
    }
    this.#old.delete(name)
    this.#current.set(name, key)
  }
}

/** As JWK: a twelfth of what DER costs in Node 20. */
function importKey(x: string): KeyObject | null {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  } catch {
    return null
  }
}
