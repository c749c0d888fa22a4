// Which operations ran, in the decided order, as the first correct replica to execute a height tells the world; the others must come to the
// same. The checkers judge it beside what the clients saw.

import type { PublicKey } from '../kernel/crypto-ports.ts'
import type { SessionId } from '../kernel/envelope.ts'
import type { ExecutedBlock, OpeningReply } from '../execution/executed-block.ts'
import type { DecidedOperation } from './checkers/placement.ts'
import { count } from './coverage.ts'
import type { Invariants } from './invariants.ts'
import type { Coverage } from './report.ts'
import { isExecuted, sessionOf } from './store-language.ts'

export interface ExecutedOperationsOptions {
  invariants: Invariants
  coverage: Coverage
  /** The operation of a client's record behind a number of its session. */
  idOf: (client: number, session: SessionId, number: number) => number | null
}

export class ExecutedOperations {
  readonly #options: ExecutedOperationsOptions
  readonly #clientNumbers = new Map<string, number>()
  readonly #sessionClients = new Map<string, number>()
  readonly decided: DecidedOperation[] = []
  /** By any correct replica. */
  #height = 0

  constructor(options: ExecutedOperationsOptions) {
    this.#options = options
  }

  clientHas(key: PublicKey, client: number): void {
    this.#clientNumbers.set(key.join(), client)
  }

  executed(block: ExecutedBlock): void {
    const { invariants, coverage, idOf } = this.#options
    const { height } = block
    if (height <= this.#height) return
    this.#height = height
    for (const reply of block.replies) {
      if (reply.kind === 'opening') {
        this.#noteSession(reply)
        continue
      }
      // A refusal of an envelope executes nothing.
      if (!isExecuted(reply.outcome)) continue
      if (!reply.fresh) {
        count(coverage, 'retries-not-executed-again')
        continue
      }
      const client = this.#sessionClients.get(`${reply.session.height}.${reply.session.index}`)
      const operation = client === undefined ? null : idOf(client, reply.session, reply.number)
      if (client === undefined || operation === null) {
        return invariants.violate('invented-operation', `height ${height} executed what no client asked for`)
      }
      this.decided.push({ height, index: reply.index, client, id: operation })
    }
  }

  #noteSession(reply: OpeningReply): void {
    const session = sessionOf(reply.outcome)
    const client = this.#clientNumbers.get(reply.client.join())
    if (session !== null && client !== undefined) {
      this.#sessionClients.set(`${session.height}.${session.index}`, client)
    }
  }
}
