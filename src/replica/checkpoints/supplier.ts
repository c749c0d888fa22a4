/**
 * One server in the eyes of a transfer: how much may be asked of it, how long its answers take, and what it is worth. A lie ends its part;
 * silence makes it be asked less, and at the third time in a row last.
 */

import type { ReplicaId } from '../../kernel/ids.ts'
import type { ManifestEntry } from '../../kernel/manifest.ts'
import {
  chunksAskedMax,
  lateRequestsMax,
  manifestAsksMax,
  requestMsInitial,
  requestMsMax,
  requestMsMin,
  timeoutsMax,
  windowBytesMax,
  windowBytesMin,
} from './limits.ts'

/** By the chunk's key. */
export type AskedEntries = Map<string, ManifestEntry>

export interface LateRequest {
  readonly number: number
  readonly entries: AskedEntries
  readonly sentMs: number
}

/** The latest turns (`manifestTurn`) of who is slow, and of who was silent. */
export const turnOfSlow = 1
export const turnOfSilent: number = turnOfSlow + manifestAsksMax

export class Supplier {
  readonly replica: ReplicaId
  /** What it lied about; it is asked nothing more. */
  lied: string | null = null
  /** Asked nothing more in this round: silent three times, or without the snapshot. */
  spent = false
  /** It no longer has what is fetched in this round: it is there, and has something newer. */
  gone = false
  /** Rounds that failed though it had offered what was fetched. */
  failures = 0
  /** How often its manifest was asked for in this round. */
  #manifestAsks = 0
  /** That was late, or has not come: but it is there, and may be asked again. */
  #answersLate = false
  /** Keys of chunks that it said it cannot give. */
  readonly lacks = new Set<string>()
  /** Requests that timed out: their answers may still come, and be of use. */
  readonly late = new Map<number, LateRequest>()
  askedBytes = 0
  askedChunks = 0
  /** Received and of use. */
  bytes = 0
  chunks = 0
  #windowBytes = windowBytesMax / 4
  #timeouts = 0
  #smoothedMs: number | null = null
  #varianceMs = 0

  constructor(replica: ReplicaId) {
    this.replica = replica
  }

  get usable(): boolean {
    return this.lied === null && !this.spent
  }

  /** It has not answered since a request of this round was lost. */
  get silent(): boolean {
    return this.#timeouts > 0
  }

  /** How long an answer may take before it counts as lost. */
  get timeoutMs(): number {
    const expectedMs = this.#smoothedMs === null ? requestMsInitial : 2 * this.#smoothedMs + 4 * this.#varianceMs
    return Math.min(requestMsMax, Math.max(requestMsMin, expectedMs) * 2 ** this.#timeouts)
  }

  /** Not in drops: when half of the window is free again. */
  get mayAsk(): boolean {
    return this.usable && (this.askedChunks === 0 || this.askedBytes <= this.#windowBytes / 2)
  }

  hasRoom(bytes: number): boolean {
    if (this.askedChunks === 0) return true
    return this.askedChunks < chunksAskedMax && this.askedBytes + bytes <= this.#windowBytes
  }

  asked(bytes: number): void {
    this.askedBytes += bytes
    this.askedChunks++
  }

  settled(bytes: number): void {
    this.askedBytes -= bytes
    this.askedChunks--
  }

  /** The first answer to a request came, so long after it. */
  answered(elapsedMs: number): void {
    this.#timeouts = 0
    if (this.#smoothedMs === null) {
      this.#smoothedMs = elapsedMs
      this.#varianceMs = elapsedMs / 2
      return
    }
    this.#varianceMs += (Math.abs(elapsedMs - this.#smoothedMs) - this.#varianceMs) / 4
    this.#smoothedMs += (elapsedMs - this.#smoothedMs) / 8
  }

  /** A whole request was answered in time. */
  keepsUp(): void {
    this.#windowBytes = Math.min(windowBytesMax, this.#windowBytes * 2)
  }

  /** True: that was once too often. */
  timedOut(request: LateRequest): boolean {
    this.#windowBytes = Math.max(windowBytesMin, this.#windowBytes / 2)
    this.#timeouts++
    this.late.set(request.number, request)
    for (const oldest of this.late.keys()) {
      if (this.late.size <= lateRequestsMax) break
      this.late.delete(oldest)
    }
    return this.#timeouts >= timeoutsMax
  }

  spend(): void {
    this.spent = true
    this.#timeouts = 0
  }

  /**
   * Whoever has the least is asked for its manifest next; Infinity: not in this round. First who was not asked yet; then who is slow and may be
   * in time when more is allowed for; then who was silent, since a link that lost a question may be whole by now.
   */
  get manifestTurn(): number {
    if (!this.usable || this.#manifestAsks >= manifestAsksMax) return Infinity
    if (this.#manifestAsks === 0) return 0
    if (this.#answersLate) return turnOfSlow
    return this.silent ? turnOfSlow + this.#manifestAsks : Infinity
  }

  manifestAsked(): void {
    this.#manifestAsks++
    this.#answersLate = false
  }

  answeredLate(elapsedMs: number): void {
    this.#answersLate = true
    this.answered(elapsedMs)
  }

  /** All servers are tried anew. */
  newRound(): void {
    this.spent = false
    this.gone = false
    this.#manifestAsks = 0
    this.#answersLate = false
    this.lacks.clear()
  }
}
