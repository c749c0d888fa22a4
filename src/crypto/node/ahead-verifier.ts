/**
 * Verifies signatures before anybody waits for the verdict, and then knows it: a verification takes 120 µs, and the loop has other things to
 * do meanwhile. On the threads of Node's own pool, where there are cores for them; the pool is the disk's too, so a few run at a time. Else in
 * the loop, a few in a turn, since a thread that waits for a core costs more than it takes off the loop.
 *
 * What was not verified ahead, for whatever reason, is verified within the call: this is never wrong, only slower.
 */

import type { PublicKey, Signature, Verifier } from '../../kernel/crypto-ports.ts'
import { Line } from '../../kernel/line.ts'
import { nodeEd25519, verifyOnThread } from './ed25519-suite.ts'

/** Of the pool's four threads, two stay with the disk. */
export const threadsMax = 2
/** In one turn of the loop, where no thread is asked: 8 ms. Fewer, and what clients send comes to its leader in small pieces, and so in small blocks. */
export const verifiedInTurnMax = 64
/** Verifications that wait, of either urgency; what comes beyond is verified by whoever asks. */
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

/** Clients must not be able to keep a proposal waiting by asking for much: what is `first` is verified before all that is `later`. */
export type Urgency = 'first' | 'later'

export interface AheadVerifierOptions {
  onThread?: typeof verifyOnThread
  verdictsMax?: number
  /** Asked often. */
  threadsPay?: () => boolean
}

export class AheadVerifier implements Verifier {
  readonly #onThread: typeof verifyOnThread
  readonly #threadsPay: () => boolean
  readonly #verdictsMax: number
  readonly #lines: Readonly<Record<Urgency, Line<Waiting>>> = { first: new Line(), later: new Line() }
  #running = 0
  #starting = false
  #turnAsked = false
  #closed = false
  /** By the signature; a verdict is asked for once. */
  readonly #verdicts = new Map<string, Verdict>()
  /** How often a verdict was known, and how often not: what tests and benches ask. */
  known = 0
  verifiedInCall = 0

  constructor(options: AheadVerifierOptions = {}) {
    this.#onThread = options.onThread ?? verifyOnThread
    this.#threadsPay = options.threadsPay ?? (() => true)
    this.#verdictsMax = options.verdictsMax ?? verdictsMax
  }

  get waiting(): number {
    return this.#lines.first.length + this.#lines.later.length
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
  ahead(questions: readonly Question[], done: () => void, urgency: Urgency = 'later'): void {
    if (this.#closed) return
    const line = this.#lines[urgency]
    const fitting = questions.slice(0, Math.max(0, waitingVerificationsMax - line.length))
    let left = fitting.length
    const settle = (): void => void setImmediate(() => this.#closed || done())
    if (left === 0) return settle()
    const answered = (): void => {
      if (--left === 0) settle()
    }
    for (const { publicKey, message, signature } of fitting) {
      line.push({ publicKey, message, signature, answered })
    }
    this.#start()
  }

  /** Nothing that waits is begun; the threads are Node's, and end with what they are at. */
  close(): void {
    this.#closed = true
    this.#lines.first.clear()
    this.#lines.later.clear()
    this.#verdicts.clear()
  }

  #start(): void {
    // What needs no thread is answered within the call.
    if (this.#starting) return
    this.#starting = true
    if (this.#threadsPay()) this.#startThreads()
    else this.#askForTurn()
    this.#starting = false
  }

  #startThreads(): void {
    while (this.#running < threadsMax && this.waiting > 0) {
      const question = this.#next()
      const { publicKey, message, signature } = question
      this.#running++
      this.#onThread(publicKey, message, signature, (isValid) => {
        this.#running--
        this.#answered(question, isValid)
        this.#start()
      })
    }
  }

  #askForTurn(): void {
    if (this.#turnAsked || this.waiting === 0) return
    this.#turnAsked = true
    setImmediate(() => this.#verifyInTurn())
  }

  #verifyInTurn(): void {
    this.#turnAsked = false
    for (let count = 0; count < verifiedInTurnMax && this.waiting > 0; count++) {
      const question = this.#next()
      this.#answered(question, verdictOf(question))
    }
    this.#start()
  }

  #next(): Waiting {
    const { first, later } = this.#lines
    return first.length > 0 ? first.take() : later.take()
  }

  #answered({ publicKey, message, signature, answered }: Waiting, isValid: boolean | null): void {
    if (this.#closed) return
    if (isValid !== null) this.#keep({ publicKey, message, signature, isValid })
    answered()
  }

  #keep(verdict: Verdict): void {
    this.#verdicts.set(nameOf(verdict.signature), verdict)
    if (this.#verdicts.size <= this.#verdictsMax) return
    for (const oldest of this.#verdicts.keys()) return void this.#verdicts.delete(oldest)
  }
}

/** As a thread would say it: null where it could not be tried, which is for whoever asks to find out. */
function verdictOf({ publicKey, message, signature }: Question): boolean | null {
  try {
    return nodeEd25519.verify(publicKey, message, signature)
  } catch {
    return null
  }
}

function nameOf(signature: Uint8Array): string {
  return Buffer.from(signature.buffer, signature.byteOffset, signature.length).toString('latin1')
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
