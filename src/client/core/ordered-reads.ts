// Reads that take their place in the order: one signed envelope for all that fell back in one turn, answered at equal replies.

import { readQueriesMax } from '../../kernel/envelope.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { envelopeBytesMax } from '../../kernel/limits.ts'
import type { Read, ReadFlight } from './reads.ts'
import { ReplyCount } from './reply-count.ts'
import { notSent } from './retry.ts'
import { encodeEnvelope, envelopeRoomBytes, type SessionOptions } from './session.ts'
import { latin1 } from '../../wire/latin1.ts'

/** Names of one envelope of reads whose late answers are still taken. */
const namesMax = 16

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

  /** Before it leaves once more. */
  renew(flight: ReadFlight): void {
    const queries = flight.reads.map((read) => read?.query ?? noQuery)
    const { name, encoded } = this.#encode(queries)
    flight.encoded = encoded
    this.#flights.set(name, flight)
    if (flight.names.push(name) > namesMax) this.#flights.delete(flight.names.shift()!)
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
