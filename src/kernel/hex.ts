// Bytes as a person copies them: lower-case hexadecimal, two digits each, and one way to write them.

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Null for whatever `toHex` does not write, and for nothing at all. */
export function fromHex(text: unknown, bytesMax: number): Uint8Array | null {
  if (typeof text !== 'string' || text.length > 2 * bytesMax || !/^(?:[0-9a-f]{2})+$/.test(text)) return null
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(2 * index, 2 * index + 2), 16),
  )
}
