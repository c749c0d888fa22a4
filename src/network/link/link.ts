/**
 * One authenticated stream to somebody, with what every stream needs: frames with limits, a bounded queue to send, a budget for what
 * is received in one turn, heartbeats of our own with the round trip they measure, and an end when the other side has gone silent.
 *
 * The host calls `received`, `drained`, `closed` and `tick`; the link calls the stream, and the listener never from within `send`.
 */

import { decode, encode, type Codec, u53 } from '../../wire/codec.ts'
import { FrameDecoder, type DecodedFrame } from './frame-decoder.ts'
import {
  helloCodec,
  linkBodyBytesMax,
  linkFrame,
  linkFrameKind,
  linkVersion,
  refusalCodec,
  type Hello,
  type LinkRefusal,
} from './link-frame.ts'
import { SendQueue, type SendLimits } from './send-queue.ts'

export interface ByteStream {
  /** Takes over the bytes; false: no more for now, `drained` comes later. */
  send(bytes: Uint8Array): boolean
  pause(): void
  resume(): void
  /** Ends the stream at once; `closed` may or may not follow. */
  abort(reason: string): void
}

export interface LinkListener {
  /** The other side has said who it is; data follows. `later`: `accept` or `refuse` will say. A refusal is sent before the end. */
  opened(hello: Hello): true | 'later' | LinkRefusal
  data(body: Uint8Array): void
  /** The other side does not let us in. Without it, nobody may say so here. */
  refused?(refusal: LinkRefusal): void
  /** Once, whoever ended it. */
  closed(reason: string): void
}

export interface LinkLimits {
  /** The host's pace of calling `tick`. */
  heartbeatMs: number
  /** Without a byte for so long, the other side is taken for gone. */
  silenceMsMax: number
  /** For the greeting, however slowly it comes. */
  greetingMsMax: number
  /** Received in one turn of the loop; the rest waits for the next, so that nobody takes the loop for himself. */
  turnBytesMax: number
  /** Nothing more is read from somebody who leaves so much unread; Infinity between replicas, where that could block both. */
  unreadBytesMax: number
  bodyBytesMax: number
  send?: SendLimits
}

export const peerLinkLimits: LinkLimits = {
  heartbeatMs: 1_000,
  silenceMsMax: 10_000,
  greetingMsMax: 10_000,
  turnBytesMax: 4 * 1024 * 1024,
  unreadBytesMax: Infinity,
  bodyBytesMax: linkBodyBytesMax,
}

/** What a client grants the replicas. */
export const replicaLinkLimits: LinkLimits = { ...peerLinkLimits, heartbeatMs: 5_000, silenceMsMax: 15_000 }

export const clientLinkLimits: LinkLimits = {
  heartbeatMs: 1_000,
  silenceMsMax: 60_000,
  greetingMsMax: 10_000,
  turnBytesMax: 1024 * 1024,
  unreadBytesMax: 4 * 1024 * 1024,
  bodyBytesMax: 4 * 1024 * 1024,
  send: { bytesMax: 8 * 1024 * 1024, framesMax: 4096 },
}

const pingCodec: Codec<number> = u53
/** Pings under way: an answer to none of them is ignored. */
const pingsMax = 16
/** Weight of the newest measurement of the round trip, as 1 in 8 (RFC 6298). */
const smoothing = 8

export class Link {
  readonly #stream: ByteStream
  readonly #listener: LinkListener
  readonly #limits: LinkLimits
  readonly #decoder: FrameDecoder
  readonly #queue: SendQueue
  /** `refusing`: the other side has been told, and gets a moment to hear it. */
  #state: 'greeting' | 'deciding' | 'open' | 'refusing' | 'closed' = 'greeting'
  /** What came behind the greeting, while it is decided whether it is wanted. */
  #early: DecodedFrame[] = []
  #earlyBytes = 0
  #lastReceivedMs: number
  #lastTickMs: number
  #silentMs = 0
  #pingId = 0
  /** Oldest first. A round trip may be longer than the pause between two of them. */
  readonly #pings: { id: number; sentMs: number }[] = []
  #roundTripMs: number | null = null
  #turnBytes = 0
  #paused = false

  constructor(stream: ByteStream, listener: LinkListener, limits: LinkLimits, own: Hello, nowMs: number) {
    this.#stream = stream
    this.#listener = listener
    this.#limits = limits
    this.#decoder = new FrameDecoder(limits.bodyBytesMax)
    this.#queue = new SendQueue((frame) => this.#write(frame), limits.send)
    this.#lastReceivedMs = nowMs
    this.#lastTickMs = nowMs
    this.#queue.send(linkFrame(linkFrameKind.hello, encode(helloCodec, own)))
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Smoothed; null before the first answer. */
  get roundTripMs(): number | null {
    return this.#roundTripMs
  }

  get lastReceivedMs(): number {
    return this.#lastReceivedMs
  }

  get framesDropped(): number {
    return this.#queue.dropped
  }

  get waitingBytes(): number {
    return this.#queue.waitingBytes
  }

  /** What the other side makes us keep. */
  get heldBytes(): number {
    return this.#queue.waitingBytes + this.#decoder.allocated
  }

  /** After `later`. */
  accept(nowMs: number): void {
    if (this.#state !== 'deciding') return
    this.#state = 'open'
    const early = this.#early
    this.#early = []
    this.#silentMs = 0
    for (const { kind, body } of early) this.#frame(kind, body, nowMs)
    this.#resumeIfNotTooMuch()
  }

  /** Nothing that the other side says counts any more. */
  refuse(refusal: LinkRefusal): void {
    if (this.#state === 'closed') return
    this.#state = 'refusing'
    this.#early = []
    this.#silentMs = 0
    this.#enqueue(linkFrame(linkFrameKind.refusal, encode(refusalCodec, refusal)))
  }

  /** Lost when the link is closed, as any frame may be. */
  send(body: Uint8Array): void {
    if (this.#state !== 'closed' && this.#state !== 'refusing') this.#enqueue(linkFrame(linkFrameKind.data, body))
  }

  /** True: the budget of this turn is used up, and the host owes an `endTurn` in the next, whatever else happens. */
  received(chunk: Uint8Array, nowMs: number): boolean {
    if (this.#state === 'closed') return false
    this.#lastReceivedMs = nowMs
    const problem = this.#decoder.push(chunk, (frame) => this.#frame(frame.kind, frame.body, nowMs))
    if (problem !== null) this.close(problem)
    if (this.#state === 'open') this.#silentMs = 0
    this.#turnBytes += chunk.length
    this.#pauseIfTooMuch()
    return this.#turnBytes > this.#limits.turnBytesMax
  }

  drained(): void {
    if (this.#state === 'closed') return
    this.#queue.drained()
    this.#resumeIfNotTooMuch()
  }

  /** The host's loop has gone once round: what was over the budget may come. */
  endTurn(): void {
    this.#turnBytes = 0
    this.#resumeIfNotTooMuch()
  }

  /** A heartbeat, at the host's pace. */
  tick(nowMs: number): void {
    if (this.#state === 'closed') return
    const { heartbeatMs, silenceMsMax, greetingMsMax } = this.#limits
    // While this process stood still, stopped or busy, it heard nobody: that is not the silence of the other side.
    const sinceMs = nowMs - this.#lastTickMs
    this.#silentMs += Math.min(sinceMs, 2 * heartbeatMs)
    // Nor is it a long way to the other side.
    if (sinceMs > 2 * heartbeatMs) this.#pings.length = 0
    this.#lastTickMs = nowMs
    if (this.#state === 'refusing' && this.#silentMs > heartbeatMs) return this.close('refused')
    if (this.#silentMs > (this.#state === 'open' ? silenceMsMax : greetingMsMax)) return this.close('silent')
    if (this.#state !== 'open') return
    this.#pings.push({ id: ++this.#pingId, sentMs: nowMs })
    if (this.#pings.length > pingsMax) this.#pings.shift()
    this.#enqueue(linkFrame(linkFrameKind.ping, encode(pingCodec, this.#pingId)))
  }

  closed(reason: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#listener.closed(reason)
  }

  close(reason: string): void {
    if (this.#state === 'closed') return
    this.#stream.abort(reason)
    this.closed(reason)
  }

  #frame(kind: number, body: Uint8Array, nowMs: number): void {
    if (this.#state === 'closed' || this.#state === 'refusing') return
    if (this.#state === 'greeting') return this.#greeted(kind, body)
    if (kind === linkFrameKind.refusal) return this.#refusedBy(body)
    if (this.#state === 'deciding') return this.#keepEarly({ kind, body })
    if (kind === linkFrameKind.data) this.#listener.data(body)
    else if (kind === linkFrameKind.ping) this.#ping(body)
    else if (kind === linkFrameKind.pong) this.#pong(body, nowMs)
    else this.close('unknown-frame')
  }

  #greeted(kind: number, body: Uint8Array): void {
    const hello = kind === linkFrameKind.hello ? decode(helloCodec, body) : null
    if (hello === null || !hello.ok) return this.close('no-greeting')
    if (hello.value.version !== linkVersion) return this.close(`link-version-${hello.value.version}`)
    this.#state = 'open'
    const verdict = this.#listener.opened(hello.value)
    if (this.#state !== 'open' || verdict === true) return
    if (verdict === 'later') this.#state = 'deciding'
    else this.refuse(verdict)
  }

  /** The stream is paused: no more comes than was under way. */
  #keepEarly(frame: DecodedFrame): void {
    this.#earlyBytes += frame.body.length
    if (this.#earlyBytes > this.#limits.turnBytesMax) return this.close('too-much-too-early')
    this.#early.push(frame)
  }

  #refusedBy(body: Uint8Array): void {
    if (this.#listener.refused === undefined) return this.close('unknown-frame')
    const refusal = decode(refusalCodec, body)
    if (!refusal.ok) return this.close('malformed-refusal')
    this.#listener.refused(refusal.value)
    this.close(`refused: ${refusal.value.reason}`)
  }

  /** Echoed as it came: a ping costs its sender as much as us. */
  #ping(body: Uint8Array): void {
    const id = decode(pingCodec, body)
    if (!id.ok) return this.close('malformed-ping')
    this.#enqueue(linkFrame(linkFrameKind.pong, body))
  }

  #pong(body: Uint8Array, nowMs: number): void {
    const id = decode(pingCodec, body)
    if (!id.ok) return this.close('malformed-pong')
    const index = this.#pings.findIndex((ping) => ping.id === id.value)
    if (index < 0) return
    const measuredMs = Math.max(0, nowMs - this.#pings[index]!.sentMs)
    // Whoever answers a later one first does not answer the earlier ones any more.
    this.#pings.splice(0, index + 1)
    this.#roundTripMs =
      this.#roundTripMs === null ? measuredMs : this.#roundTripMs + (measuredMs - this.#roundTripMs) / smoothing
  }

  #enqueue(frame: Uint8Array): void {
    this.#queue.send(frame)
    this.#pauseIfTooMuch()
  }

  #write(frame: Uint8Array): boolean {
    return this.#state === 'closed' ? true : this.#stream.send(frame)
  }

  #pauseIfTooMuch(): void {
    if (this.#state === 'closed' || this.#paused || !this.#isTooMuch()) return
    this.#paused = true
    this.#stream.pause()
  }

  /** What waited may be received at once, from within: never called by `send`. */
  #resumeIfNotTooMuch(): void {
    if (this.#state === 'closed' || !this.#paused || this.#isTooMuch()) return
    this.#paused = false
    this.#stream.resume()
  }

  #isTooMuch(): boolean {
    const { turnBytesMax, unreadBytesMax } = this.#limits
    if (this.#state === 'deciding' || this.#state === 'refusing') return true
    return this.#turnBytes > turnBytesMax || this.#queue.waitingBytes > unreadBytesMax
  }
}
