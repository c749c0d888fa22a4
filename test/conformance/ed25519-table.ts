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

/** The table out of a file's text; a table that is damaged is told in one sentence, and checked in no part. */
export function readVectors(text: string): { ok: true; vectors: Ed25519Vectors } | { ok: false; message: string } {
  let parsed: Partial<Ed25519Vectors> | null
  try {
    parsed = JSON.parse(text) as Partial<Ed25519Vectors> | null
  } catch {
    return { ok: false, message: 'the vectors are no JSON: take the file of the release again' }
  }
  const { signatures, keys } = parsed ?? {}
  if (!Array.isArray(signatures) || !Array.isArray(keys) || signatures.length === 0) {
    return { ok: false, message: 'the vectors have no list of signatures and keys: take the file of the release again' }
  }
  const fields = { signatures: ['publicKey', 'message', 'signature'], keys: ['publicKey'] } as const
  for (const [kind, rows] of Object.entries({ signatures, keys })) {
    for (const [index, row] of (rows as Partial<SignatureVector>[]).entries()) {
      const hexes = fields[kind as keyof typeof fields]
      const sound =
        typeof row?.name === 'string' &&
        typeof row.valid === 'boolean' &&
        hexes.every((name) => typeof row[name] === 'string' && /^(?:[0-9a-f]{2})*$/.test(row[name]))
      if (!sound)
        return { ok: false, message: `vector ${index} of ${kind} is damaged: take the file of the release again` }
    }
  }
  return { ok: true, vectors: parsed as Ed25519Vectors }
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
