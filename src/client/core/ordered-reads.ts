// Reads that take their place in the order: one signed envelope for all that fell back in one turn, answered at equal replies.

import { readQueriesMax } from '../../kernel/envelope.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { envelopeBytesMax } from '../../kernel/limits.ts'
import type { Read, ReadFlight } from './reads.ts'
import { ReplyCount } from './reply-count.ts'
import { notSent } from './retry.ts'
import { encodeEnvelope, envelopeRoomBytes, type SessionOptions } from './session.ts'
import { latin1 } from '../../wire/latin1.ts'

/** An envelope of reads that has left so many times in vain, or twice, or four times as many, … has another name from then on. */
export const namedAnewAfter = 2

const none: readonly ReadFlight[] = []

/** In the place of what was answered: places keep their numbers. */
const noQuery = new Uint8Array(0)

export class OrderedReads {
  readonly #options: SessionOptions
  readonly #nonce: () => Uint8Array
  readonly #flights = new Map<string, ReadFlight>()

  constructor(options: SessionOptions, nonce: () => Uint8Array) {
    this.#options = options
    this.#nonce = nonce
  }

  get flights(): Iterable<ReadFlight> {
    return this.#flights.size === 0 ? none : new Set(this.#flights.values())
  }

  /**
   * Before it leaves, the first time and again: as the same bytes, mostly. A replica that has executed them answers from what it keeps, and in
   * one that has not they wait already: no copy takes room in a block. But answers may be forgotten, lost in a restart, or skipped by
   * who fetched a state, while others know the name as executed and order it no more: too few would answer, for ever. Under a new name
   * it is ordered again, and all answer. Answers to the older ones still count.
   *
   * Each name leaves as often as all before it: whatever is wrong with one, the read waits at most about as long again as it has waited;
   * and however slowly blocks come, its names in them are few, the logarithm of its attempts. Nothing else has to bound them.
   */
  leaves(flight: ReadFlight): void {
    if (flight.attempts < namedAnewAfter * 2 ** (flight.names.length - 1)) return
    const { name, encoded } = this.#encode(flight.reads.map((read) => read?.query ?? noQuery))
    flight.encoded = encoded
    flight.names.push(name)
    this.#flights.set(name, flight)
  }

  launch(reads: readonly Read[]): void {
    let part: Read[] = []
    let bytes = envelopeRoomBytes
    const leave = (): void => {
      if (part.length > 0) this.#launch(part)
      part = []
      bytes = envelopeRoomBytes
    }
    for (const read of reads) {
      const size = read.query.length + 4
      if (part.length === readQueriesMax || (part.length > 0 && bytes + size > envelopeBytesMax)) leave()
      part.push(read)
      bytes += size
    }
    leave()
  }

  /** The read that this reply completes, if it does. */
  reply(name: string, from: ReplicaId, place: number, height: Height, answer: Uint8Array): Read | null {
    const flight = this.#flights.get(name)
    const read = flight?.reads[place] ?? null
    if (read === null || !flight!.counts[place]!.add(from, height, 0, answer)) return null
    this.remove(read)
    return read
  }

  remove(read: Read): void {
    const { flight } = read
    if (flight === null) return
    read.flight = null
    flight.reads[flight.reads.indexOf(read)] = null
    if (--flight.open > 0) return
    for (const name of flight.names) this.#flights.delete(name)
  }

  clear(): void {
    this.#flights.clear()
  }

  #launch(reads: Read[]): void {
    const { name, encoded } = this.#encode(reads.map((read) => read.query))
    const counts = reads.map(() => new ReplyCount(this.#options))
    const flight: ReadFlight = { names: [name], encoded, reads, counts, open: reads.length, ...notSent }
    this.#flights.set(name, flight)
    for (const read of reads) read.flight = flight
  }

  #encode(queries: Uint8Array[]): { name: string; encoded: Uint8Array } {
    const nonce = this.#nonce()
    const { client } = this.#options
    const envelope = { kind: 'read', client, nonce, queries, signature: new Uint8Array(0) } as const
    return { name: latin1(nonce), encoded: encodeEnvelope(this.#options, envelope) }
  }
}
