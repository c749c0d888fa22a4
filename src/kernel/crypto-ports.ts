// Hashing and signing as the pure rooms see them. The real ones live in crypto/, the simulator has cheap ones of its own.

/** 32 bytes that name a value: the hash of its canonical encoding. */
export type Digest = Uint8Array & { readonly __brand?: 'Digest' }

/** A public key of the network's signature suite (Ed25519: 32 bytes). */
export type PublicKey = Uint8Array & { readonly __brand?: 'PublicKey' }

/** A signature of the network's signature suite (Ed25519: 64 bytes). */
export type Signature = Uint8Array & { readonly __brand?: 'Signature' }

export const digestBytes = 32
export const publicKeyBytes = 32
export const signatureBytes = 64

export interface Hasher {
  /** Hashes the bytes of one value. Collision-resistant in production. */
  digest(bytes: Uint8Array): Digest
}

export interface Verifier {
  /** True exactly if the signature is valid under the one rule of docs/wire-format-signatures.md. Total: never throws, whatever the lengths. */
  verify(publicKey: PublicKey, message: Uint8Array, signature: Signature): boolean
}

export interface Signer {
  readonly publicKey: PublicKey
  sign(message: Uint8Array): Signature
}

/** A named set of rules for keys and signatures; the name stands in the network file. */
export interface SignatureSuite extends Verifier {
  readonly name: string
  /** Canonical, not of small order, without torsion: checked once, when a network file is loaded or a client registers. */
  isValidPublicKey(publicKey: Uint8Array): boolean
  /** Throws a RangeError when the secret key has not exactly 32 bytes. */
  signer(secretKey: Uint8Array): Signer
}
