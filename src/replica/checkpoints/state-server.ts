/**
 * Hands out stable checkpoints, their manifests and chunks to members, at a bounded rate and in turn: serving a state must not slow down
 * the replica that serves it, least of all the leader. Chunks are addressed by digest alone, so a member that fetches an older or newer
 * snapshot gets what both have in common.
 *
 * Pure: it is told the time (monotonic milliseconds), and `nextDueMs` says when `tick` is wanted.
 */

import { decode, encode } from '../../wire/codec.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import type { ManifestEntry } from '../../kernel/manifest.ts'
import type { Membership } from '../../kernel/membership.ts'
import { chunkKey } from './chunk-ledger.ts'
import {
  answerCostMin,
  indexIdleMs,
  pageBytesMax,
  pageEntriesMax,
  requestBytesMax,
  servedAnswersAtOnce,
  servedBytesAtOnce,
  transferBytesPerSecond,
} from './limits.ts'
import type { SnapshotSource, StoredSnapshot } from './ports.ts'
import { RequestQueues, type Owed } from './request-queues.ts'
import { TokenBucket } from './token-bucket.ts'
import { entryBytes, transferAnswerCodec, transferRequestCodec, type TransferAnswer } from './transfer-messages.ts'

export interface StateServerOptions {
  self: ReplicaId
  membership: Membership
  source: SnapshotSource
  /** In all. Default 32 MiB. */
  bytesPerSecond?: number
  /** On channel 4. */
  send: (to: ReplicaId, body: Uint8Array) => void
  dropped?: (from: ReplicaId, reason: string) => void
}

/** Of the rate, while this replica leads. */
const leaderShare = 4

export class StateServer {
  readonly #options: StateServerOptions
  readonly #queues = new RequestQueues()
  readonly #bucket: TokenBucket
  readonly #bytesPerSecond: number
  #leading = false
  /** Of all stable snapshots, by their heights, while somebody asks. */
  #index: { of: string; entries: Map<string, ManifestEntry> } | null = null
  #usedMs = 0
  #nowMs = 0
  /** Handed out: what tests and metrics ask. */
  bytesServed = 0

  constructor(options: StateServerOptions) {
    this.#options = options
    this.#bytesPerSecond = options.bytesPerSecond ?? transferBytesPerSecond
    this.#bucket = new TokenBucket(this.#bytesPerSecond)
  }

  /** Handed out at most, for now. */
  get bytesPerSecond(): number {
    return this.#leading ? this.#bytesPerSecond / leaderShare : this.#bytesPerSecond
  }

  /** Who leads has better things to do. */
  leads(leading: boolean, nowMs: number): void {
    this.#leading = leading
    this.#bucket.setRate(this.bytesPerSecond, nowMs)
  }

  /** A request: what came on channel 4 and is one. */
  message(from: ReplicaId, body: Uint8Array, nowMs: number): void {
    const { self, membership, dropped } = this.#options
    if (from === self || !membership.isMember(from)) return dropped?.(from, 'not a member')
    if (body.length > requestBytesMax) return dropped?.(from, 'too large')
    const decoded = decode(transferRequestCodec, body.slice())
    if (!decoded.ok) return dropped?.(from, decoded.error.code)
    if (!this.#queues.add(from, decoded.value)) dropped?.(from, 'too many requests')
    this.tick(nowMs)
  }

  tick(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs)
    let left = servedBytesAtOnce
    for (let answers = 0; answers < servedAnswersAtOnce && left > 0 && this.#bucket.mayTake(this.#nowMs); answers++) {
      const next = this.#queues.next()
      if (next === null) break
      const bytes = Math.max(answerCostMin, this.#serve(next.to, next.owed))
      this.#queues.gave(next.to, bytes)
      this.#bucket.take(bytes)
      left -= bytes
    }
    if (this.#index !== null && this.#nowMs >= this.#usedMs + indexIdleMs) this.#index = null
  }

  nextDueMs(): number | null {
    if (!this.#queues.empty) return this.#bucket.readyMs(this.#nowMs)
    return this.#index === null ? null : this.#usedMs + indexIdleMs
  }

  #serve(to: ReplicaId, owed: Owed): number {
    const answer = this.#answer(owed)
    if (answer.kind === 'gone') this.#queues.forget(to, owed.request)
    const body = encode(transferAnswerCodec, answer)
    this.bytesServed += body.length
    this.#options.send(to, body)
    return body.length
  }

  #answer(owed: Owed): TransferAnswer {
    if (owed.kind === 'newest') return this.#newest(owed.request)
    if (owed.kind === 'manifest') return this.#page(owed.request, owed.height, owed.first)
    const entry = this.#entry(owed.digest)
    const bytes = entry === null ? null : this.#options.source.read(entry)
    const { request, digest } = owed
    if (entry !== null && bytes !== null)
      return { kind: 'chunk', request, digest, part: entry.part, id: entry.id, bytes }
    if (this.#snapshot(owed.height) === null) return { kind: 'gone', request }
    return { kind: 'lacking', request, digests: [digest] }
  }

  #newest(request: number): TransferAnswer {
    const newest = this.#options.source.stable[0]
    return newest === undefined
      ? { kind: 'gone', request }
      : { kind: 'checkpoint', request, checkpoint: newest.checkpoint }
  }

  #page(request: number, height: Height, first: number): TransferAnswer {
    const entries = this.#snapshot(height)?.entries
    if (entries === undefined || first > entries.length) return { kind: 'gone', request }
    const page: ManifestEntry[] = []
    for (let size = 0; page.length < pageEntriesMax && first + page.length < entries.length;) {
      const entry = entries.at(first + page.length)!
      size += entryBytes(entry)
      if (size > pageBytesMax) break
      page.push(entry)
    }
    return { kind: 'manifest-page', request, total: entries.length, entries: page }
  }

  #snapshot(height: Height): StoredSnapshot | null {
    return this.#options.source.stable.find(({ checkpoint }) => checkpoint.header.height === height) ?? null
  }

  #entry(digest: Uint8Array): ManifestEntry | null {
    const { stable } = this.#options.source
    this.#usedMs = this.#nowMs
    const of = stable.map(({ checkpoint }) => checkpoint.header.height).join()
    if (this.#index?.of !== of) this.#index = { of, entries: indexOf(stable) }
    return this.#index.entries.get(chunkKey(digest)) ?? null
  }
}

function indexOf(stable: readonly StoredSnapshot[]): Map<string, ManifestEntry> {
  const entries = new Map<string, ManifestEntry>()
  for (const snapshot of stable) {
    for (const entry of snapshot.entries) entries.set(chunkKey(entry.digest), entry)
  }
  return entries
}
