import type { Digest, Hasher, PublicKey } from '../kernel/crypto-ports.ts'
import { hashingBytes } from '../kernel/domains.ts'
import type { Height, TimestampMs } from '../kernel/ids.ts'
import { createRandom, type Random } from '../kernel/random.ts'
import { Writer } from '../wire/writer.ts'
import type { ApplyContext } from './state-machine.ts'
import { latin1 } from '../wire/latin1.ts'

/** What the operations of one block have in common. */
export interface OperationSurroundings {
  readonly height: Height
  readonly timestamp: TimestampMs
  readonly blockDigest: Digest
  readonly hasher: Hasher
}

export class OperationContext implements ApplyContext {
  readonly height: Height
  readonly timestamp: TimestampMs
  readonly index: number
  readonly client: PublicKey
  readonly #surroundings: OperationSurroundings
  #random: Random | null = null

  constructor(surroundings: OperationSurroundings, index: number, client: PublicKey) {
    this.height = surroundings.height
    this.timestamp = surroundings.timestamp
    this.index = index
    this.client = client
    this.#surroundings = surroundings
  }

  /** Made when it is asked for: most operations draw nothing. */
  get random(): Random {
    this.#random ??= createRandom(this.#seed())
    return this.#random
  }

  #seed(): string {
    const writer = new Writer()
    writer.raw(this.#surroundings.blockDigest)
    writer.u32(this.index)
    return latin1(this.#surroundings.hasher.digest(hashingBytes('operation-seed', writer.view())))
  }
}
