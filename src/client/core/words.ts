// What a replica said, as a text to compare: short bytes themselves, and the digest of long ones, so that nobody makes a client hold much.

import type { Hasher } from '../../kernel/crypto-ports.ts'
import { latin1 } from '../../wire/latin1.ts'

/** Bytes that are kept as they are. */
const shortBytesMax = 64

export function wordsOf(hasher: Hasher, bytes: Uint8Array): string {
  return bytes.length <= shortBytesMax ? `=${latin1(bytes)}` : `#${latin1(hasher.digest(bytes))}`
}
