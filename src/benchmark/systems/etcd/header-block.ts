// The headers of requests, compressed as HPACK (RFC 7541) has it: what was sent once on a connection is one byte from then on.

type Header = readonly [name: string, value: string]

/** Of the static table (RFC 7541, appendix A). */
const staticIndexes: Readonly<Record<string, number>> = {
  ':method POST': 3,
  ':scheme http': 6,
}
const staticEntries = 61
const indexed = 0x80
const literalToBeIndexed = 0x40
/** What fits into the rest of a byte: longer numbers are never written here. */
const lengthMax = 126

export class HeaderBlocks {
  readonly #authority: string
  /** By header, the number of entries that were made before it. */
  readonly #entries = new Map<string, number>()
  readonly #blocks = new Map<string, { block: Uint8Array; entries: number }>()

  constructor(authority: string) {
    this.#authority = authority
  }

  /** Of a call of this method: to be sent, and in the order in which they were asked for. */
  request(path: string): Uint8Array {
    const made = this.#blocks.get(path)
    if (made?.entries === this.#entries.size) return made.block
    const before = this.#entries.size
    const block = this.#encode([
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', path],
      [':authority', this.#authority],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
    ])
    // One that makes entries is not to be sent again: it would make them twice.
    if (this.#entries.size === before) this.#blocks.set(path, { block, entries: before })
    return block
  }

  #encode(headers: readonly Header[]): Uint8Array {
    return Uint8Array.from(headers.flatMap(([name, value]) => this.#header(name, value)))
  }

  #header(name: string, value: string): number[] {
    const header = `${name} ${value}`
    const fixed = staticIndexes[header]
    if (fixed !== undefined) return [indexed | fixed]
    const entry = this.#entries.get(header)
    // The newest entry has the lowest index.
    if (entry !== undefined) return [indexed | (staticEntries + this.#entries.size - entry)]
    this.#entries.set(header, this.#entries.size)
    return [literalToBeIndexed, ...text(name), ...text(value)]
  }
}

function text(value: string): number[] {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length > lengthMax) throw new RangeError(`a header of ${bytes.length} bytes: at most ${lengthMax}`)
  return [bytes.length, ...bytes]
}
