// SHA-256 in plain JavaScript: for browsers, and as the reference that the fast one is held against.

import { sha256 } from '@noble/hashes/sha2.js'
import type { Hasher } from '../../kernel/crypto-ports.ts'

export const portableHasher: Hasher = {
  digest: (bytes) => sha256(bytes),
}
