// CRC-32 (polynomial 0xEDB88320, as zlib's), four bytes at a time. Hosts that have a native one hand that in.

const tables: readonly Uint32Array[] = makeTables()

export function crc32(bytes: Uint8Array, previous: number = 0): number {
  const [first, second, third, fourth] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]
  let crc = ~previous
  let index = 0
  const end = bytes.length - 3
  for (; index < end; index += 4) {
    crc ^= bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24)
    crc = fourth[crc & 0xff]! ^ third[(crc >>> 8) & 0xff]! ^ second[(crc >>> 16) & 0xff]! ^ first[crc >>> 24]!
  }
  for (; index < bytes.length; index++) crc = first[(crc ^ bytes[index]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

function makeTables(): Uint32Array[] {
  const made = [0, 1, 2, 3].map(() => new Uint32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1
    made[0]![byte] = value
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let level = 1; level < 4; level++) {
      const below = made[level - 1]![byte]!
      made[level]![byte] = (below >>> 8) ^ made[0]![below & 0xff]!
    }
  }
  return made
}
