// Bytes as text, one character a byte: sorts as the bytes do, and serves as the key of a Map. Of the ways to make it this one call is the
// fastest: a quarter of adding character by character, a tenth of spreading the bytes.

const bytesAtOnce = 4096

export function latin1(bytes: Uint8Array): string {
  if (bytes.length <= bytesAtOnce) return String.fromCharCode.apply(null, bytes as unknown as number[])
  let text = ''
  for (let first = 0; first < bytes.length; first += bytesAtOnce)
    text += latin1(bytes.subarray(first, first + bytesAtOnce))
  return text
}

export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index)
  return bytes
}
