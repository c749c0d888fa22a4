// The headers of answers, compressed as HPACK (RFC 7541) has it: every block has to be read, since each may name what others said before it.

import { readHuffman } from './huffman.ts'

/** Where a call stands, as gRPC says it in the headers that end an answer; null for what is not among these. */
export interface GrpcStatus {
  status: string | null
  message: string | null
}

interface Header {
  name: string
  value: string
}

/** Of the static table (RFC 7541, appendix A); a name that has several values has an entry for each. None of the values is asked for here. */
const staticNames: readonly string[] = [
  ...[':authority', ':method', ':method', ':path', ':path', ':scheme', ':scheme'],
  ...Array.from({ length: 7 }, () => ':status'),
  ...['accept-charset', 'accept-encoding', 'accept-language', 'accept-ranges', 'accept'],
  ...['access-control-allow-origin', 'age', 'allow', 'authorization', 'cache-control', 'content-disposition'],
  ...['content-encoding', 'content-language', 'content-length', 'content-location', 'content-range', 'content-type'],
  ...['cookie', 'date', 'etag', 'expect', 'expires', 'from', 'host', 'if-match', 'if-modified-since'],
  ...['if-none-match', 'if-range', 'if-unmodified-since', 'last-modified', 'link', 'location', 'max-forwards'],
  ...['proxy-authenticate', 'proxy-authorization', 'range', 'referer', 'refresh', 'retry-after', 'server'],
  ...['set-cookie', 'strict-transport-security', 'transfer-encoding', 'user-agent', 'vary', 'via', 'www-authenticate'],
]
const entryBytes = 32
/** What was agreed, since nobody has said anything else. */
const tableBytesMax = 4096
const numberMax = 2 ** 24

export class HeaderReader {
  /** The newest first. */
  readonly #table: Header[] = []
  #tableBytes = 0
  #limit = tableBytesMax
  #block: Uint8Array = new Uint8Array(0)
  #at = 0

  /** A whole block, in the order in which they came; null where it is none, after which no other can be read. */
  read(block: Uint8Array): GrpcStatus | null {
    this.#block = block
    this.#at = 0
    const said: GrpcStatus = { status: null, message: null }
    while (this.#at < block.length) {
      const header = this.#field(block[this.#at]!)
      if (header === null) return null
      if (header === 'size') continue
      if (header.name === 'grpc-status') said.status = header.value
      else if (header.name === 'grpc-message') said.message = header.value
    }
    return said
  }

  #field(first: number): Header | 'size' | null {
    if (first >= 0x80) return this.#entry(this.#number(7))
    if (first >= 0x40) {
      const header = this.#literal(6)
      if (header !== null) this.#keep(header)
      return header
    }
    if (first < 0x20) return this.#literal(4)
    const limit = this.#number(5)
    if (limit === null || limit > tableBytesMax) return null
    this.#limit = limit
    this.#evict()
    return 'size'
  }

  #entry(index: number | null): Header | null {
    if (index === null || index === 0) return null
    const name = staticNames[index - 1]
    return name === undefined ? (this.#table[index - staticNames.length - 1] ?? null) : { name, value: '' }
  }

  #literal(prefixBits: number): Header | null {
    const index = this.#number(prefixBits)
    const name = index === 0 ? this.#text() : (this.#entry(index)?.name ?? null)
    const value = name === null ? null : this.#text()
    return name === null || value === null ? null : { name, value }
  }

  #keep(header: Header): void {
    this.#table.unshift(header)
    this.#tableBytes += bytesOf(header)
    this.#evict()
  }

  #evict(): void {
    while (this.#tableBytes > this.#limit) this.#tableBytes -= bytesOf(this.#table.pop()!)
  }

  #text(): string | null {
    const isCoded = (this.#block[this.#at] ?? 0) >= 0x80
    const length = this.#number(7)
    if (length === null || length > this.#block.length - this.#at) return null
    const bytes = this.#block.subarray(this.#at, (this.#at += length))
    return isCoded ? readHuffman(bytes) : Buffer.from(bytes).toString('latin1')
  }

  /** In the low bits of a byte, and in the bytes behind it where these are all ones. */
  #number(prefixBits: number): number | null {
    const most = 2 ** prefixBits - 1
    if (this.#at >= this.#block.length) return null
    let value = this.#block[this.#at++]! & most
    if (value < most) return value
    for (let factor = 1; value < numberMax; factor *= 128) {
      const byte = this.#block[this.#at++]
      if (byte === undefined) return null
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    return null
  }
}

function bytesOf({ name, value }: Header): number {
  return name.length + value.length + entryBytes
}
