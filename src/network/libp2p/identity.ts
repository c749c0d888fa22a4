// A replica's or client's Ed25519 key as libp2p wants it, and the key behind a connection's peer id.

import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import type { PublicKey } from '../../kernel/crypto-ports.ts'

export function privateKeyOf(secretKey: Uint8Array): Promise<Ed25519PrivateKey> {
  return generateKeyPairFromSeed('Ed25519', secretKey)
}

export function peerIdOf(linkKey: PublicKey): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(linkKey))
}

/** Null for a peer whose key is of another kind: nobody of ours. */
export function linkKeyOf(peer: PeerId): PublicKey | null {
  return peer.type === 'Ed25519' ? peer.publicKey.raw : null
}
