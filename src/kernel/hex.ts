// Bytes as a person copies them: lower-case hexadecimal, two digits each, and one way to write them.

const bytesAtOnce = 4096
const digits = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/** Digests are named so in every step: one call for all characters is a seventh of a text for each byte, joined. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (let first = 0; first < bytes.length; first += bytesAtOnce) {
    text += hexOf(bytes.subarray(first, first + bytesAtOnce))
  }
  return text
}

function hexOf(bytes: Uint8Array): string {
  const characters: number[] = []
  for (const byte of bytes) characters.push(digits[byte >>> 4]!, digits[byte & 15]!)
  return String.fromCharCode.apply(null, characters)
}

/** Null for whatever `toHex` does not write, and for nothing at all. */
export function fromHex(text: unknown, bytesMax: number): Uint8Array | null {
  if (typeof text !== 'string' || text.length > 2 * bytesMax || !/^(?:[0-9a-f]{2})+$/.test(text)) return null
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(2 * index, 2 * index + 2), 16),
  )
}
