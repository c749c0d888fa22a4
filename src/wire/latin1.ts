// Bytes as text, one character a byte: sorts as the bytes do, and serves as the key of a Map. Of the ways to make it this one call is the
// fastest: a quarter of adding character by character, a tenth of spreading the bytes.

const bytesAtOnce = 4096
const keyBytes = 32

export function latin1(bytes: Uint8Array): string {
  if (bytes.length === keyBytes) return latin1OfKey(bytes)
  if (bytes.length <= bytesAtOnce) return String.fromCharCode.apply(null, bytes as unknown as number[])
  let text = ''
  for (let first = 0; first < bytes.length; first += bytesAtOnce)
    text += latin1(bytes.subarray(first, first + bytesAtOnce))
  return text
}

/** Keys and digests, which are most of what is named so, each byte an argument of its own: a third of what a list of arguments costs. */
// prettier-ignore
function latin1OfKey(b: Uint8Array): string {
  return String.fromCharCode(
    b[0]!, b[1]!, b[2]!, b[3]!, b[4]!, b[5]!, b[6]!, b[7]!, b[8]!, b[9]!, b[10]!, b[11]!, b[12]!, b[13]!, b[14]!, b[15]!,
    b[16]!, b[17]!, b[18]!, b[19]!, b[20]!, b[21]!, b[22]!, b[23]!, b[24]!, b[25]!, b[26]!, b[27]!, b[28]!, b[29]!, b[30]!, b[31]!,
  )
}

export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index)
  return bytes
}
