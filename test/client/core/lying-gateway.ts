// What a replica that lies says to a client: anything it has ever seen, changed, repeated, out of thin air, or nothing.

import { clientResponseCodec, type ClientRequest, type ClientResponse } from '../../../src/kernel/client-messages.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { outcomeCodec, refusalCertainty, type Outcome, type RefusalCode } from '../../../src/kernel/outcome.ts'
import type { Random } from '../../../src/kernel/random.ts'
import { decode, encode } from '../../../src/wire/codec.ts'
import { text } from '../../execution/fixtures.ts'

const pastMax = 64
const floodMax = 8
const codes = Object.keys(refusalCertainty) as RefusalCode[]

export class LyingGateway {
  readonly #random: Random
  readonly #self: ReplicaId
  /** What its own, honest gateway said of late. */
  readonly #past: ClientResponse[] = []
  readonly #nonces: Uint8Array[] = []
  lies = 0

  constructor(random: Random, self: ReplicaId) {
    this.#random = random
    this.#self = self
  }

  asked(request: ClientRequest): void {
    if (request.kind !== 'reads') return
    this.#nonces.push(request.nonce)
    if (this.#nonces.length > pastMax) this.#nonces.shift()
  }

  /** In place of what its honest half would answer. */
  instead(honest: Uint8Array): Uint8Array[] {
    const response = decode(clientResponseCodec, honest)
    if (response.ok) this.#past.push(response.value)
    if (this.#past.length > pastMax) this.#past.shift()
    switch (this.#random.below(8)) {
      case 0:
        return []
      case 1:
        return [honest]
      case 2:
        return this.#flood()
      default:
        return [this.#lie()]
    }
  }

  /** Unasked. */
  #flood(): Uint8Array[] {
    return Array.from({ length: this.#random.between(1, floodMax) }, () => this.#lie())
  }

  #lie(): Uint8Array {
    this.lies++
    const random = this.#random
    if (random.chance(1, 8)) return Uint8Array.from({ length: random.below(40) }, () => random.below(256))
    const said = this.#past.length === 0 ? null : random.pick(this.#past)
    if (said === null || random.chance(1, 8)) return encode(clientResponseCodec, this.#invented())
    return encode(clientResponseCodec, this.#changed(said))
  }

  #invented(): ClientResponse {
    const random = this.#random
    const leader = random.chance(1, 2) ? this.#self : ((1 + random.below(4)) as ReplicaId)
    switch (random.below(3)) {
      case 0:
        return { kind: 'hint', leader }
      case 1:
        return {
          kind: 'refused',
          reason: random.chance(1, 2) ? 'overloaded' : 'not-authentic',
          retryAfterMs: 2 ** 31,
          leader,
        }
      default: {
        if (this.#nonces.length === 0) return { kind: 'hint', leader }
        return { kind: 'reads-unanswered', nonce: random.pick(this.#nonces), reason: 'malformed', leader }
      }
    }
  }

  #changed(said: ClientResponse): ClientResponse {
    const random = this.#random
    switch (said.kind) {
      case 'replies': {
        const replies = said.replies.map((reply) => ({
          ...reply,
          number: this.#near(reply.number),
          height: this.#near(reply.height),
          outcome: random.chance(1, 2) ? this.#outcome() : reply.outcome,
        }))
        return { ...said, replies }
      }
      case 'opened':
        return { ...said, height: this.#near(said.height), outcome: this.#outcome() }
      case 'answers': {
        const nonce = this.#nonces.length > 0 && random.chance(1, 3) ? random.pick(this.#nonces) : said.nonce
        const answers = said.answers.map(({ id, answer }) => ({
          id: this.#near(id),
          answer: random.chance(1, 2) ? this.#outcome() : answer,
        }))
        return {
          ...said,
          nonce,
          stated: random.chance(1, 2) ? 0 : this.#near(said.stated),
          height: this.#near(said.height),
          answers,
        }
      }
      default:
        return said
    }
  }

  #outcome(): Uint8Array {
    const random = this.#random
    if (random.chance(1, 6)) return Uint8Array.of(random.below(9), random.below(9))
    const outcome: Outcome = random.pick([
      { kind: 'executed', result: text(String(random.below(30))) },
      { kind: 'executed', result: text(JSON.stringify(`do ${random.below(30)} as ${random.below(30)}`)) },
      { kind: 'refused', code: random.pick(codes) },
      { kind: 'opened', session: { height: random.below(9), index: random.below(3) } },
      { kind: 'operation-failed' },
      { kind: 'cancelled' },
      { kind: 'closed' },
    ] as const)
    return encode(outcomeCodec, outcome)
  }

  #near(value: number): number {
    const random = this.#random
    if (random.chance(1, 2)) return value
    return random.chance(1, 6) ? 2 ** 50 : Math.max(0, value + random.between(-3, 3))
  }
}
