// The table of vectors as the tests read it.

import { fromHex } from './ed25519-model.ts'

export interface SignatureVector {
  name: string
  /** All bytes in hex. */
  publicKey: string
  message: string
  signature: string
  valid: boolean
}

export interface KeyVector {
  name: string
  publicKey: string
  valid: boolean
}

export interface Ed25519Vectors {
  about: string
  signatures: SignatureVector[]
  keys: KeyVector[]
}

export interface Ed25519Backend {
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  isValidPublicKey(publicKey: Uint8Array): boolean
}

/** The names of the vectors on which a backend says something else than the table. */
export function disagreements(vectors: Ed25519Vectors, backend: Ed25519Backend): string[] {
  const signatures = vectors.signatures.filter(
    (vector) =>
      backend.verify(fromHex(vector.publicKey), fromHex(vector.message), fromHex(vector.signature)) !== vector.valid,
  )
  const keys = vectors.keys.filter((vector) => backend.isValidPublicKey(fromHex(vector.publicKey)) !== vector.valid)
  return [...signatures, ...keys].map((vector) => vector.name)
}
