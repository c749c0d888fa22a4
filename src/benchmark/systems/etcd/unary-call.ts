// One call that has been sent, and what has come for it: the length that gRPC writes before a message, as many bytes, and a status.

import type { GrpcStatus } from './header-reader.ts'

/** A byte that says whether it is compressed, and four of its length. */
export const messagePrefixBytes = 5
const ok = '0'
const wordsMax = 200

export class UnaryCall {
  readonly succeeded: (nothing: undefined) => void
  readonly failed: (cause: Error) => void
  #received = 0
  #length = 0
  #isCompressed = false
  #status: string | null = null
  #message = ''

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

  /** Of the headers before an answer, or of those that end it: where they say nothing of it, what was said before stands. */
  headers({ status, message }: GrpcStatus): void {
    this.#status = status ?? this.#status
    this.#message = message ?? this.#message
  }

  /** Nothing more comes. A call that succeeds is answered by one whole message and the status 0. */
  end(): void {
    if (this.#status === null) return this.failed(new Error('etcd has ended its answer without a status'))
    if (this.#status !== ok) {
      const words = this.#message === '' ? '' : `: ${this.#message.slice(0, wordsMax)}`
      return this.failed(new Error(`etcd has refused it with status ${this.#status.slice(0, wordsMax)}${words}`))
    }
    const isWhole = !this.#isCompressed && this.#received === messagePrefixBytes + this.#length
    if (isWhole) this.succeeded(undefined)
    else this.failed(new Error('the answer is not whole'))
  }
}
