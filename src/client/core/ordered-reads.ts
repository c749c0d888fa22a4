// Reads that take their place in the order: one signed envelope for all that fell back in one turn, answered at equal replies.

import { readQueriesMax } from '../../kernel/envelope.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { envelopeBytesMax } from '../../kernel/limits.ts'
import type { Read } from './reads.ts'
import { ReplyCount } from './reply-count.ts'
import { notSent, type Attempts } from './retry.ts'
import { encodeEnvelope, envelopeRoomBytes, type SessionOptions } from './session.ts'
import { latin1 } from '../../wire/latin1.ts'

/** An envelope of reads under way. Its bytes stay the same, however often it goes out. */
export interface ReadFlight extends Attempts {
  readonly name: string
  readonly encoded: Uint8Array
  /** Null where it has been answered, or nobody waits any more. */
  readonly reads: (Read | null)[]
  readonly counts: ReplyCount[]
  open: number
}

export class OrderedReads {
  readonly #options: SessionOptions
  readonly #nonce: () => Uint8Array
  readonly #flights = new Map<string, ReadFlight>()
  readonly #flightOf = new Map<Read, ReadFlight>()

  constructor(options: SessionOptions, nonce: () => Uint8Array) {
    this.#options = options
    this.#nonce = nonce
  }

  get flights(): Iterable<ReadFlight> {
    return this.#flights.values()
  }

  has(read: Read): boolean {
    return this.#flightOf.has(read)
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
      const size = read.operation.command.length + 4
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
    const flight = this.#flightOf.get(read)
    if (flight === undefined) return
    this.#flightOf.delete(read)
    flight.reads[flight.reads.indexOf(read)] = null
    if (--flight.open === 0) this.#flights.delete(flight.name)
  }

  clear(): void {
    this.#flights.clear()
    this.#flightOf.clear()
  }

  #launch(reads: Read[]): void {
    const nonce = this.#nonce()
    const { client } = this.#options
    const queries = reads.map((read) => read.operation.command)
    const flight: ReadFlight = {
      name: latin1(nonce),
      encoded: encodeEnvelope(this.#options, { kind: 'read', client, nonce, queries, signature: new Uint8Array(0) }),
      reads,
      counts: reads.map(() => new ReplyCount(this.#options)),
      open: reads.length,
      ...notSent,
    }
    this.#flights.set(flight.name, flight)
    for (const read of reads) this.#flightOf.set(read, flight)
  }
}
