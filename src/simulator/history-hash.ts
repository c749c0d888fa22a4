// A running hash over everything that happens in a run: equal histories, equal hashes. Speed matters, secrecy does not.

export class HistoryHash {
  #low = 0x811c_9dc5
  #high = 0x9747_b28c

  number(value: number): void {
    // Times and counts stay far below 2^53, so both halves are exact.
    this.#mix(value >>> 0)
    this.#mix(Math.floor(value / 0x1_0000_0000) >>> 0)
  }

  bytes(bytes: Uint8Array): void {
    this.#mix(bytes.length)
    for (let index = 0; index < bytes.length; index++) {
      this.#low = Math.imul(this.#low ^ bytes[index]!, 0x0100_0193)
    }
    // Not mixed with itself: that would leave nothing of it.
    this.#high = Math.imul((this.#high + this.#low) | 0, 0xc2b2_ae35) ^ (this.#low >>> 7)
  }

  text(text: string): void {
    for (let index = 0; index < text.length; index++) this.#mix(text.charCodeAt(index))
  }

  hex(): string {
    return (this.#low >>> 0).toString(16).padStart(8, '0') + (this.#high >>> 0).toString(16).padStart(8, '0')
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x85eb_ca6b)
    this.#low ^= this.#low >>> 13
    this.#high = Math.imul((this.#high + word) | 0, 0xc2b2_ae35) ^ (this.#low >>> 7)
  }
}
