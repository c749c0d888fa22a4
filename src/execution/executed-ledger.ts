// The chain of executed headers: where execution stands, and the digest that the next header names as its parent.

import { digestBytes, type Digest, type Hasher } from '../kernel/crypto-ports.ts'
import { hashingBytes } from '../kernel/domains.ts'
import { blockHeaderCodec, type BlockHeader } from '../kernel/block.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../kernel/executed-header.ts'
import type { EpochNumber, Height, TimestampMs } from '../kernel/ids.ts'
import { encode } from '../wire/codec.ts'

export function executedHeaderDigest(hasher: Hasher, header: ExecutedHeader): Digest {
  return hasher.digest(hashingBytes('executed-header', encode(executedHeaderCodec, header)))
}

export function blockDigest(hasher: Hasher, header: BlockHeader): Digest {
  return hasher.digest(hashingBytes('block', encode(blockHeaderCodec, header)))
}

export class ExecutedLedger {
  readonly #hasher: Hasher
  #epoch: EpochNumber
  #height: Height = 0
  #time: TimestampMs = 0
  #header: ExecutedHeader | null = null
  #digest: Digest = new Uint8Array(digestBytes)

  constructor(hasher: Hasher, epoch: EpochNumber) {
    this.#hasher = hasher
    this.#epoch = epoch
  }

  get epoch(): EpochNumber {
    return this.#epoch
  }

  /** Of the last executed block; 0 before the first. */
  get height(): Height {
    return this.#height
  }

  get time(): TimestampMs {
    return this.#time
  }

  /** Null before the first block. */
  get header(): ExecutedHeader | null {
    return this.#header
  }

  /** Digest of the last executed header; zeros before the first. */
  get digest(): Digest {
    return this.#digest
  }

  /** Throws: that blocks come in order, without gaps, in their epoch, is what the driver promises. */
  assertNext(block: BlockHeader): void {
    if (block.epoch !== this.#epoch) {
      throw new RangeError(`block of epoch ${block.epoch} given for execution in epoch ${this.#epoch}`)
    }
    if (block.height !== this.#height + 1) {
      throw new RangeError(`block ${block.height} given for execution after ${this.#height}`)
    }
  }

  /** Agreed time never runs back, whatever a leader proposes. */
  timeAfter(block: BlockHeader): TimestampMs {
    return Math.max(this.#time, block.timestamp)
  }

  append(block: BlockHeader, digest: Digest, resultsRoot: Digest, stateRoot: Digest | null): ExecutedHeader {
    this.assertNext(block)
    const { epoch, height } = block
    const time = this.timeAfter(block)
    const header = { epoch, height, parent: this.#digest, blockDigest: digest, resultsRoot, stateRoot, time }
    this.reset(header)
    return header
  }

  /** From one epoch to the next: the chain of headers goes on. */
  enterEpoch(epoch: EpochNumber): void {
    if (epoch !== this.#epoch + 1) throw new RangeError(`epoch ${epoch} does not follow ${this.#epoch}`)
    this.#epoch = epoch
  }

  /** Continues above a header that is known to be right. */
  reset(header: ExecutedHeader): void {
    this.#header = header
    this.#epoch = header.epoch
    this.#height = header.height
    this.#time = header.time
    this.#digest = executedHeaderDigest(this.#hasher, header)
  }
}
