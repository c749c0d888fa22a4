// What the servers of fetches are worth: who lied is asked after those who did not, who is silent after those who answer.

import type { ReplicaId } from '../../kernel/ids.ts'
import { answerMsMax, answerMsMin } from './limits.ts'

interface Credit {
  lies: number
  /** In a row. */
  timeouts: number
}

export class ServerCredit {
  readonly #credits = new Map<ReplicaId, Credit>()

  /** Never given back: a correct server has no lies. */
  lied(server: ReplicaId): void {
    this.#of(server).lies++
  }

  timedOut(server: ReplicaId): void {
    this.#of(server).timeouts++
  }

  answered(server: ReplicaId): void {
    this.#of(server).timeouts = 0
  }

  timeoutMs(server: ReplicaId): number {
    // Beyond so many it is the greatest for long.
    const doublings = Math.min(8, this.#of(server).timeouts)
    return Math.min(answerMsMax, answerMsMin * 2 ** doublings)
  }

  /** Best first; equals stay in their order. */
  sorted(servers: readonly ReplicaId[]): ReplicaId[] {
    return [...servers].sort((left, right) => {
      const [one, other] = [this.#of(left), this.#of(right)]
      return one.lies - other.lies || one.timeouts - other.timeouts
    })
  }

  #of(server: ReplicaId): Credit {
    let credit = this.#credits.get(server)
    if (credit === undefined) {
      credit = { lies: 0, timeouts: 0 }
      this.#credits.set(server, credit)
    }
    return credit
  }
}
