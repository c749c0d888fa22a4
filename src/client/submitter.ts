// Promises, deadlines and signals around the client's core: what an application awaits.

import type { Consistency } from '../kernel/client-messages.ts'
import type { Height } from '../kernel/ids.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import type { ClientCore } from './core/client-core.ts'
import type { ClientFailure, ClientOperation, Settled } from './core/operation.ts'
import { Deadlines } from './deadlines.ts'

export interface WaitOptions {
  /** Ends the wait; whether the operation happens is another question. */
  signal?: AbortSignal
  /** How long to wait, from now on. Default: 30 s. */
  deadlineMs?: number
}

export interface Answered {
  result: Uint8Array
  height: Height
  index: number
}

export const deadlineMsDefault = 30_000
/** Above it a timer would go off at once. */
const deadlineMsMax = 2 ** 31 - 1

export class Submitter {
  readonly #core: ClientCore
  readonly #deadlines = new Deadlines()
  readonly #turn: () => void

  /** `turn` asks the host to end its turn soon. */
  constructor(core: ClientCore, turn: () => void) {
    this.#core = core
    this.#turn = turn
  }

  submit(command: Uint8Array, options: WaitOptions = {}): Promise<Answered> {
    return this.#wait(options, (settled) => this.#core.submit(command, settled))
  }

  query(query: Uint8Array, consistency: Consistency, options: WaitOptions = {}): Promise<Answered> {
    return this.#wait(options, (settled) => this.#core.query(query, consistency, settled))
  }

  #wait(
    { signal, deadlineMs = deadlineMsDefault }: WaitOptions,
    begin: (settled: (outcome: Settled) => void) => ClientOperation,
  ): Promise<Answered> {
    if (!(deadlineMs > 0 && deadlineMs <= deadlineMsMax)) {
      throw new RangeError(`option deadlineMs is ${deadlineMs}: it must be above 0 and at most ${deadlineMsMax}`)
    }
    if (signal?.aborted === true) {
      return Promise.reject(
        errorOf({ code: 'ERR_ABORTED', certainty: 'definite', message: 'it was aborted before it left' }),
      )
    }
    return new Promise((resolve, reject) => {
      let operation: ClientOperation | null = null
      const abort = (): void => {
        if (operation !== null) this.#core.abandon(operation, 'ERR_ABORTED', 'its caller has given it up')
      }
      const deadline = this.#deadlines.add(deadlineMs, () => {
        if (operation === null) return
        const why = this.#core.isConnected ? `no answer within ${deadlineMs} ms` : 'no replica could be reached in time'
        this.#core.abandon(operation, 'ERR_DEADLINE', why)
      })
      signal?.addEventListener('abort', abort, { once: true })
      operation = begin((settled) => {
        this.#deadlines.remove(deadline)
        signal?.removeEventListener('abort', abort)
        if (settled.ok) resolve({ result: settled.result, height: settled.height, index: settled.index })
        else reject(errorOf(settled.failure))
      })
      this.#turn()
    })
  }
}

function errorOf({ code, certainty, message, retryAfterMs }: ClientFailure): QuorateError {
  return new QuorateError(code, message, { certainty, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
}
