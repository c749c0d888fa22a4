// What a load does again and again: keys and values are made before anything is timed, and used in turn.

import { createRandom, type Random } from '../../kernel/random.ts'
import type { Point } from '../round.ts'
import type { SystemClient } from '../system.ts'

export interface Operations {
  /** The numbers may be any; neighbours go to keys far apart. */
  begin(client: SystemClient, number: number): Promise<unknown>
}

/** So few that all are there soon, so many that two operations that are under way seldom meet; fewer where values are large. */
export const keysMax = 1024
const keysMin = 128
const keyedBytesMax = 8 * 1024 * 1024
const valueCount = 16
/** A prime above the number of keys: all of them come in turn. */
const stride = 7919

export type OperationPlan = Pick<Point, 'kind' | 'operationBytes' | 'transactionPuts'>

export class Puts implements Operations {
  readonly keys: readonly Uint8Array[]
  readonly values: readonly Uint8Array[]

  constructor(valueBytes: number, seed: number) {
    const random = createRandom(seed)
    const count = Math.max(keysMin, Math.min(keysMax, Math.floor(keyedBytesMax / valueBytes)))
    this.keys = Array.from({ length: count }, (_, number) => keyNumber(number, random))
    this.values = Array.from({ length: valueCount }, () => Uint8Array.from({ length: valueBytes }, () => random.u32()))
  }

  begin(client: SystemClient, number: number): Promise<unknown> {
    return client.put(this.keys[(number * stride) % this.keys.length]!, this.values[number % valueCount]!)
  }
}

class Gets implements Operations {
  readonly #keys: readonly Uint8Array[]

  constructor({ keys }: Puts) {
    this.#keys = keys
  }

  begin(client: SystemClient, number: number): Promise<unknown> {
    return client.get(this.#keys[(number * stride) % this.#keys.length]!)
  }
}

type Entries = readonly (readonly [key: Uint8Array, value: Uint8Array])[]

class Transactions implements Operations {
  readonly #all: readonly Entries[]

  constructor({ keys, values }: Puts, puts: number) {
    // No key twice in one: some systems refuse that.
    if (puts > keys.length)
      throw new RangeError(`a transaction of ${puts} puts: at most ${keys.length}, a key for each`)
    this.#all = keys.map((_, first) =>
      Array.from({ length: puts }, (__, put) => {
        const number = first * puts + put
        return [keys[(number * stride) % keys.length]!, values[number % valueCount]!] as const
      }),
    )
  }

  begin(client: SystemClient, number: number): Promise<unknown> {
    if (client.putAll === undefined) throw new Error('this system has no transactions: leave such points out')
    return client.putAll(this.#all[number % this.#all.length]!)
  }
}

export function prepareOperations(puts: Puts, { kind, transactionPuts = 1 }: OperationPlan): Operations {
  if (kind === 'put') return puts
  return kind === 'get' ? new Gets(puts) : new Transactions(puts, transactionPuts)
}

/** Sixteen bytes of ASCII, so that others can read what they find in a store. */
function keyNumber(number: number, random: Random): Uint8Array {
  const name = `${random.u32().toString(16).padStart(8, '0')}-${String(number).padStart(7, '0')}`
  return new TextEncoder().encode(name)
}
