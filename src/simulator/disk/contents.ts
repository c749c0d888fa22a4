// The bytes of a simulated file, as the platter or the page cache holds them.

/** For a truncation the new length; for a write the place of its bytes. */
export interface Change {
  offset: number
  bytes: Uint8Array | null
}

/** Growing bytes; a hole that was never written reads as zeros. */
export class Contents {
  #bytes = new Uint8Array(0)
  length = 0

  apply(change: Change): void {
    if (change.bytes === null) {
      this.#bytes.fill(0, change.offset, this.length)
      this.length = Math.min(this.length, change.offset)
      return
    }
    const end = change.offset + change.bytes.length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2, 1024))
      grown.set(this.#bytes.subarray(0, this.length))
      this.#bytes = grown
    }
    this.#bytes.set(change.bytes, change.offset)
    this.length = Math.max(this.length, end)
  }

  slice(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(Math.min(offset, this.length), Math.min(offset + length, this.length))
  }

  copy(): Contents {
    const copy = new Contents()
    copy.#bytes = this.#bytes.slice(0, this.length)
    copy.length = this.length
    return copy
  }
}
