// Strings in headers of HTTP/2 are compressed by one fixed code (RFC 7541, appendix B). It is canonical: the lengths of its codes say all of it.

/** In bits, of each byte, and of the end that never comes. */
const codeBits: readonly number[] = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  ...[24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  ...[22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  ...[21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  ...[26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  ...[19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  ...[20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  ...[26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
]
const end = 256
const bitsMax = 30
/** What is left of the last byte is filled with ones, and is less than a byte. */
const paddingBitsMax = 7

/** The codes of one length follow each other in the order of their bytes, after those that are shorter. */
const byBits = Array.from({ length: bitsMax + 1 }, (_, bits) =>
  codeBits.flatMap((one, symbol) => (one === bits ? [symbol] : [])),
)
const firstCodes = byBits.reduce<number[]>((codes, _, bits) => {
  const [before, count] = bits === 0 ? [0, 0] : [codes[bits - 1]!, byBits[bits - 1]!.length]
  return [...codes, (before + count) * 2 ** (bits === 0 ? 0 : 1)]
}, [])

/** Null: no code says this. */
export function readHuffman(coded: Uint8Array): string | null {
  const bytes: number[] = []
  let [code, bits] = [0, 0]
  for (const byte of coded) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >>> bit) & 1)
      bits++
      const symbol = byBits[bits]?.[code - firstCodes[bits]!]
      if (symbol === end || bits > bitsMax) return null
      if (symbol === undefined) continue
      bytes.push(symbol)
      code = bits = 0
    }
  }
  const isFilled = bits <= paddingBitsMax && code === 2 ** bits - 1
  return isFilled ? Buffer.from(bytes).toString('latin1') : null
}
