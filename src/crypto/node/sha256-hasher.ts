// SHA-256 by OpenSSL. The one-shot call is a third faster than createHash on 1 KB, and the same on 128 KB (bench/crypto.ts).

import { hash } from 'node:crypto'
import type { Hasher } from '../../kernel/crypto-ports.ts'

export const nodeHasher: Hasher = {
  // A plain array and not the Buffer that node gives: a Buffer's `slice` shares memory where everyone expects a copy.
  digest: (bytes) => {
    const { buffer, byteOffset, length } = hash('sha256', bytes, 'buffer')
    return new Uint8Array(buffer, byteOffset, length)
  },
}
