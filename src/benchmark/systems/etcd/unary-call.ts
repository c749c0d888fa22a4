// One call that has been sent, and what has come for it: the length that gRPC writes before a message, and as many bytes.

/** A byte that says whether it is compressed, and four of its length. */
export const messagePrefixBytes = 5

export class UnaryCall {
  readonly succeeded: (nothing: undefined) => void
  readonly failed: (cause: Error) => void
  #received = 0
  #length = 0
  #isCompressed = false

  constructor(succeeded: (nothing: undefined) => void, failed: (cause: Error) => void) {
    this.succeeded = succeeded
    this.failed = failed
  }

  data(payload: Buffer): void {
    for (let at = 0; at < payload.length && this.#received + at < messagePrefixBytes; at++) {
      if (this.#received + at === 0) this.#isCompressed = payload[at] !== 0
      else this.#length = this.#length * 256 + payload[at]!
    }
    this.#received += payload.length
  }

  /**
   * Nothing more comes. A call that succeeds is answered by one whole message, and one that fails by none (its status stands in headers that
   * are not read here: they are compressed by what came before them, and a load has no use for the reason).
   */
  end(): void {
    const isWhole = !this.#isCompressed && this.#received === messagePrefixBytes + this.#length
    if (isWhole) this.succeeded(undefined)
    else this.failed(new Error(this.#received === 0 ? 'etcd has refused it' : 'the answer is not whole'))
  }
}
