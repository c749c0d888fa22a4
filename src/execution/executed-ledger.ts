/**
 * The chain of executed headers: where execution stands, and the digest that the next header names as its parent.
 *
 * A header that bears a state root is finished when the root is known, and those above it after it, since each names the one below.
 * Meanwhile blocks are executed; what their headers consist of waits here.
 */

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

/** All of a header but what the ones below it and the root decide. */
interface UnfinishedHeader extends Omit<ExecutedHeader, 'parent' | 'stateRoot'> {
  readonly awaitsRoot: boolean
}

export class ExecutedLedger {
  readonly #hasher: Hasher
  #epoch: EpochNumber
  #height: Height = 0
  #time: TimestampMs = 0
  #header: ExecutedHeader | null = null
  #digest: Digest = new Uint8Array(digestBytes)
  #unfinished: UnfinishedHeader[] = []
  /** How many of the unfinished are finished by now. */
  #finishedCount = 0
  #finished: ExecutedHeader[] = []

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

  /** The last finished one; null before the first. */
  get header(): ExecutedHeader | null {
    return this.#header
  }

  /** Of the last finished header; zeros before the first. */
  get digest(): Digest {
    return this.#digest
  }

  /** Blocks were executed whose headers are not finished. */
  get lags(): boolean {
    return this.#unfinished.length > 0
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

  /** The block is executed. Its header is finished at once, unless it or one below awaits a root. */
  append(block: BlockHeader, digest: Digest, resultsRoot: Digest, awaitsRoot: boolean): void {
    this.assertNext(block)
    const { epoch, height } = block
    const time = this.timeAfter(block)
    const header = { epoch, height, blockDigest: digest, resultsRoot, time, awaitsRoot }
    this.#height = height
    this.#time = time
    if (this.lags || awaitsRoot) this.#unfinished.push(header)
    else this.#add(header, null)
  }

  /** The root that the first unfinished header awaits. */
  rootFound(root: Digest): ExecutedHeader {
    const first = this.#unfinished[this.#finishedCount]
    if (first?.awaitsRoot !== true) throw new Error('no executed header awaits a state root')
    this.#finishedCount++
    return this.#add(first, root)
  }

  /** Finishes headers that await nothing any more, at most so many: there may be a hundred thousand. */
  finish(headersMax: number): void {
    const unfinished = this.#unfinished
    const end = Math.min(unfinished.length, this.#finishedCount + headersMax)
    while (this.#finishedCount < end && !unfinished[this.#finishedCount]!.awaitsRoot) {
      this.#add(unfinished[this.#finishedCount++]!, null)
    }
    if (this.#finishedCount < unfinished.length) return
    this.#unfinished = []
    this.#finishedCount = 0
  }

  /** Finished since this was last asked, in their order. */
  takeFinished(): ExecutedHeader[] {
    const finished = this.#finished
    if (finished.length > 0) this.#finished = []
    return finished
  }

  /** From one epoch to the next: the chain of headers goes on. */
  enterEpoch(epoch: EpochNumber): void {
    if (epoch !== this.#epoch + 1) throw new RangeError(`epoch ${epoch} does not follow ${this.#epoch}`)
    this.#epoch = epoch
  }

  /** Continues an empty ledger above a header that is known to be right. */
  reset(header: ExecutedHeader): void {
    this.#epoch = header.epoch
    this.#height = header.height
    this.#time = header.time
    this.#extend(header)
  }

  #add({ epoch, height, blockDigest, resultsRoot, time }: UnfinishedHeader, stateRoot: Digest | null): ExecutedHeader {
    const header = { epoch, height, parent: this.#digest, blockDigest, resultsRoot, stateRoot, time }
    this.#extend(header)
    this.#finished.push(header)
    return header
  }

  #extend(header: ExecutedHeader): void {
    this.#header = header
    this.#digest = executedHeaderDigest(this.#hasher, header)
  }
}
