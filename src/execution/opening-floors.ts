// For each client that has closed a session lately, the reference height up to which its openings are void (session-table.ts).

import { publicKeyBytes, type PublicKey } from '../kernel/crypto-ports.ts'
import type { Height } from '../kernel/ids.ts'
import { fixedBytes, list, struct, u53, type Codec } from '../wire/codec.ts'
import { OrderedMap, type OrderedView } from './store/ordered-map.ts'

export interface OpeningFloor {
  client: PublicKey
  floor: Height
}

/** Floors in one chunk of the state; larger than any table. */
const floorsMax = 1_048_576
/** How often floors that have become superfluous are looked for: the search goes through all of them. */
const sweepHeights = 256

export const openingFloorsCodec: Codec<OpeningFloor[]> = list(
  struct<OpeningFloor>({ client: fixedBytes(publicKeyBytes), floor: u53 }),
  floorsMax,
)

export class OpeningFloors {
  readonly #floors = new OrderedMap<OpeningFloor>()
  #version = 0

  get size(): number {
    return this.#floors.size
  }

  get version(): number {
    return this.#version
  }

  /** -1 if nothing was closed: reference heights start at 0. */
  of(clientName: string): Height {
    return this.#floors.get(clientName)?.floor ?? -1
  }

  raise(clientName: string, client: PublicKey, floor: Height): void {
    if (floor <= this.of(clientName)) return
    this.#floors.set(clientName, { client, floor })
    this.#version++
  }

  /** At stated heights, which are the same everywhere, drops the floors below which every opening is void by its age. */
  expire(height: Height, lifetimeHeights: number): void {
    if (height % sweepHeights !== 0) return
    const expired: string[] = []
    for (const [name, { floor }] of this.#floors.range('')) {
      if (floor + lifetimeHeights < height) expired.push(name)
    }
    for (const name of expired) this.#floors.delete(name)
    this.#version += expired.length
  }

  /** What the floors are now, by their clients' names, which sort as the keys' bytes do. Later changes do not reach it. */
  view(): OrderedView<OpeningFloor> {
    return this.#floors.view()
  }
}
