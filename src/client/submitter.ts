// Promises, deadlines and signals around the client's core: what an application awaits.

import type { Consistency } from '../kernel/client-messages.ts'
import type { Height } from '../kernel/ids.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import type { ClientCore } from './core/client-core.ts'
import type { ClientFailure, ClientOperation, Settle } from './core/operation.ts'
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

  /** `read` makes of the answer what the caller is given, or throws what it is refused with: without a promise of its own. */
  submit<Value>(command: Uint8Array, options: WaitOptions, read: (answered: Answered) => Value): Promise<Value> {
    return this.#wait(options, read, (settled) => this.#core.submit(command, settled))
  }

  query<Value>(
    query: Uint8Array,
    consistency: Consistency,
    options: WaitOptions,
    read: (answered: Answered) => Value,
  ): Promise<Value> {
    return this.#wait(options, read, (settled) => this.#core.query(query, consistency, settled))
  }

  #wait<Value>(
    { signal, deadlineMs = deadlineMsDefault }: WaitOptions,
    read: (answered: Answered) => Value,
    begin: (settled: Settle) => ClientOperation,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (!(deadlineMs > 0 && deadlineMs <= deadlineMsMax)) {
        throw new RangeError(`option deadlineMs is ${deadlineMs}: it must be above 0 and at most ${deadlineMsMax}`)
      }
      if (signal?.aborted === true) return reject(errorOf(abortedBefore))
      let operation: ClientOperation | null = null
      const abandon = (code: 'ERR_ABORTED' | 'ERR_DEADLINE', why: string): void => {
        if (operation !== null) this.#core.abandon(operation, code, why)
      }
      const deadline = this.#deadlines.add(deadlineMs, () => abandon('ERR_DEADLINE', this.#lateness(deadlineMs)))
      const abort = signal === undefined ? null : (): void => abandon('ERR_ABORTED', 'its caller has given it up')
      if (abort !== null) signal?.addEventListener('abort', abort, { once: true })
      operation = begin((settled) => {
        this.#deadlines.remove(deadline)
        if (abort !== null) signal?.removeEventListener('abort', abort)
        if (!settled.ok) return reject(errorOf(settled.failure))
        try {
          resolve(read(settled))
        } catch (error) {
          reject(error as Error)
        }
      })
      this.#turn()
    })
  }

  #lateness(deadlineMs: number): string {
    return this.#core.isConnected ? `no answer within ${deadlineMs} ms` : 'no replica could be reached in time'
  }
}

const abortedBefore: ClientFailure = {
  code: 'ERR_ABORTED',
  certainty: 'definite',
  message: 'it was aborted before it left',
}

function errorOf({ code, certainty, message, retryAfterMs }: ClientFailure): QuorateError {
  return new QuorateError(code, message, { certainty, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
}
