/**
 * How long things took, in bounded memory and with one relative error at every scale: an HDR histogram of whole microseconds.
 *
 * WHAT A BUCKET STANDS FOR. Of a value its first 8 binary digits are kept. Values below 256 have a bucket of their own, whose number is the
 * value. A longer value is shifted right until 8 digits are left: by `shift` digits, which leaves `digits` from 128 to 255. Its bucket is
 * `128 × shift + digits`, and holds all values from `digits × 2^shift` to `(digits + 1) × 2^shift − 1`. So, with 8 for `significantBits`:
 *
 *     bucket < 256:  the value is bucket
 *     else:          shift = floor(bucket / 128) − 1, digits = bucket − 128 × shift
 *
 * It is told as the middle of its bucket, which is off by at most one part in 256 (0.4 %). Above 2^32 − 1 µs, 71 minutes, all are one.
 */

import type { EncodedHistogram } from './round.ts'

const significantBits = 8
const half = 2 ** (significantBits - 1)
const microsecondsMax = 2 ** 32 - 1
export const bucketCount: number = bucketOf(microsecondsMax) + 1

export class LatencyHistogram {
  readonly #counts = new Float64Array(bucketCount)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Below 0 counts as 0: clocks of two processes may say so. */
  record(milliseconds: number): void {
    const microseconds = Math.min(Math.max(Math.round(milliseconds * 1000), 0), microsecondsMax)
    this.#counts[bucketOf(microseconds)]!++
    this.#count++
  }

  /** In microseconds: at least this share, from 0 to 1, took no longer. Null where nothing was recorded. */
  percentile(share: number): number | null {
    const rank = Math.min(Math.max(Math.ceil(share * this.#count), 1), this.#count)
    let below = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      below += this.#counts[bucket]!
      if (rank > 0 && below >= rank) return middleOf(bucket)
    }
    return null
  }

  /** Takes in what another has recorded. */
  merge(other: LatencyHistogram): void {
    for (let bucket = 0; bucket < bucketCount; bucket++) this.#add(bucket, other.#counts[bucket]!)
  }

  encode(): EncodedHistogram {
    const counts: [number, number][] = []
    for (const [bucket, count] of this.#counts.entries()) if (count > 0) counts.push([bucket, count])
    return { significantBits, counts }
  }

  /** Throws a RangeError for what none has written. */
  static decode(encoded: EncodedHistogram): LatencyHistogram {
    if (encoded.significantBits !== significantBits) {
      throw new RangeError(
        `a histogram of ${encoded.significantBits} significant bits: only ${significantBits} can be read`,
      )
    }
    const histogram = new LatencyHistogram()
    for (const [bucket, count] of encoded.counts) {
      const isBucket = Number.isInteger(bucket) && bucket >= 0 && bucket < bucketCount
      if (!isBucket || !Number.isSafeInteger(count) || count < 0) {
        throw new RangeError(`a histogram has no bucket ${bucket} with ${count} values`)
      }
      histogram.#add(bucket, count)
    }
    return histogram
  }

  #add(bucket: number, count: number): void {
    this.#counts[bucket]! += count
    this.#count += count
  }
}

function bucketOf(microseconds: number): number {
  const shift = Math.max(32 - Math.clz32(microseconds) - significantBits, 0)
  return shift * half + (microseconds >>> shift)
}

function middleOf(bucket: number): number {
  const shift = Math.max(Math.floor(bucket / half) - 1, 0)
  const least = (bucket - shift * half) * 2 ** shift
  return least + (2 ** shift - 1) / 2
}
