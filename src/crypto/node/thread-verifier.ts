/**
 * Verifies signatures on the threads of Node's own pool before anybody waits for the verdict, and then knows it: a verification takes
 * 120 µs, and the loop has other things to do meanwhile. The pool is the disk's too, so a few verifications run at a time.
 *
 * What was not verified ahead, for whatever reason, is verified within the call: this is never wrong, only slower.
 */

import type { PublicKey, Signature, Verifier } from '../../kernel/crypto-ports.ts'
import { nodeEd25519, verifyOnThread } from './ed25519-suite.ts'

/** Of the pool's four threads, two stay with the disk. */
export const threadsMax = 2
/** Verifications that wait for a thread; what comes beyond is verified by whoever asks. */
export const waitingVerificationsMax = 16_384
/** Verdicts that nobody has asked for yet; the oldest are forgotten. */
export const verdictsMax = 16_384

interface Question {
  readonly publicKey: PublicKey
  readonly message: Uint8Array
  readonly signature: Signature
}

interface Waiting extends Question {
  readonly answered: () => void
}

interface Verdict extends Question {
  readonly isValid: boolean
}

export class ThreadVerifier implements Verifier {
  readonly #onThread: typeof verifyOnThread
  readonly #verdictsMax: number
  #waiting: Waiting[] = []
  #head = 0
  #running = 0
  #starting = false
  #closed = false
  /** By the signature; a verdict is asked for once. */
  readonly #verdicts = new Map<string, Verdict>()
  /** How often a verdict was known, and how often not: what tests and benches ask. */
  known = 0
  verifiedInCall = 0

  constructor(options: { onThread?: typeof verifyOnThread; verdictsMax?: number } = {}) {
    this.#onThread = options.onThread ?? verifyOnThread
    this.#verdictsMax = options.verdictsMax ?? verdictsMax
  }

  get waiting(): number {
    return this.#waiting.length - this.#head
  }

  verify(publicKey: PublicKey, message: Uint8Array, signature: Signature): boolean {
    const name = nameOf(signature)
    const verdict = this.#verdicts.get(name)
    if (verdict !== undefined) this.#verdicts.delete(name)
    // A signature names no message: whoever copies one gets no verdict with it.
    if (verdict !== undefined && isEqual(verdict.publicKey, publicKey) && isEqual(verdict.message, message)) {
      this.known++
      return verdict.isValid
    }
    this.verifiedInCall++
    return nodeEd25519.verify(publicKey, message, signature)
  }

  /** `done` is called once, from a later turn of the loop; never after `close`. */
  ahead(questions: readonly Question[], done: () => void): void {
    const fitting = questions.slice(0, Math.max(0, waitingVerificationsMax - this.waiting))
    let left = fitting.length
    const settle = (): void => void setImmediate(() => this.#closed || done())
    if (left === 0) return settle()
    const answered = (): void => {
      if (--left === 0) settle()
    }
    for (const { publicKey, message, signature } of fitting) {
      this.#waiting.push({ publicKey, message, signature, answered })
    }
    this.#start()
  }

  /** Nothing that waits is begun; the threads are Node's, and end with what they are at. */
  close(): void {
    this.#closed = true
    this.#waiting = []
    this.#head = 0
    this.#verdicts.clear()
  }

  #start(): void {
    // What needs no thread is answered within the call.
    if (this.#starting) return
    this.#starting = true
    while (this.#running < threadsMax && this.#head < this.#waiting.length) {
      const question = this.#waiting[this.#head++]!
      const { publicKey, message, signature } = question
      this.#running++
      this.#onThread(publicKey, message, signature, (isValid) => this.#answered(question, isValid))
    }
    this.#starting = false
    if (this.#head < this.#waiting.length) return
    this.#waiting = []
    this.#head = 0
  }

  #answered({ publicKey, message, signature, answered }: Waiting, isValid: boolean | null): void {
    this.#running--
    if (this.#closed) return
    if (isValid !== null) this.#keep({ publicKey, message, signature, isValid })
    answered()
    this.#start()
  }

  #keep(verdict: Verdict): void {
    this.#verdicts.set(nameOf(verdict.signature), verdict)
    if (this.#verdicts.size <= this.#verdictsMax) return
    for (const oldest of this.#verdicts.keys()) return void this.#verdicts.delete(oldest)
  }
}

function nameOf(signature: Uint8Array): string {
  return Buffer.from(signature.buffer, signature.byteOffset, signature.length).toString('latin1')
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
