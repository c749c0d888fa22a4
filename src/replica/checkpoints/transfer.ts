/**
 * Brings the state of a stable checkpoint from others: asks several servers for the newest certificate, one for its manifest, and all
 * of them for the chunks that are missing here. Nothing is believed: README.md says what each answer is checked against, and what
 * becomes of a server that lies, is silent, or has nothing.
 *
 * Pure: it is told the time (monotonic milliseconds), and `nextDueMs` says when `tick` is wanted.
 */

import { decode } from '../../wire/codec.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Hasher } from '../../kernel/crypto-ports.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import type { ManifestEntry } from '../../kernel/manifest.ts'
import type { PackedManifest } from '../../kernel/packed-manifest.ts'
import type { ProtocolEvent } from '../../kernel/protocol.ts'
import type { Random } from '../../kernel/random.ts'
import type { CertificateRules } from '../../kernel/checkpoint-rules.ts'
import { ChunkFetch } from './chunk-fetch.ts'
import { Correspondence } from './correspondence.ts'
import {
  answerBytesMax,
  backoffMsMax,
  backoffMsMin,
  checkedBytesAtOnce,
  checkedEntriesAtOnce,
  manifestMs,
  manifestPageMs,
  newestAskedMax,
  newestGraceMs,
  pageEntriesMax,
} from './limits.ts'
import { ManifestIntake } from './manifest-intake.ts'
import type { ChunkDigest, SnapshotSink, SnapshotWriter } from './ports.ts'
import { turnOfSilent, turnOfSlow, type Supplier } from './supplier.ts'
import { isChunk, transferAnswerCodec, type TransferAnswer } from './transfer-messages.ts'
import type { TransferStatus } from './transfer-status.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

export interface TransferHost {
  /** On channel 4. */
  send: (to: ReplicaId, body: Uint8Array) => void
  /** On disk and certified: the newest stable snapshot of the store. Called from `tick` only. */
  done: (checkpoint: Checkpoint) => void
  /** `nextDueMs` has changed outside of a call: the store called back. */
  wake: () => void
  /** For traces, coverage and operators. */
  note?: (event: ProtocolEvent) => void
}

export interface StateTransferOptions {
  self: ReplicaId
  rules: CertificateRules
  hasher: Hasher
  chunkDigest: ChunkDigest
  store: SnapshotSink
  random: Random
  host: TransferHost
}

interface Offer {
  checkpoint: Checkpoint
  by: Set<Supplier>
}

/** The checkpoint that is fetched, and whose manifest is believed. */
interface Target extends Offer {
  manifestBy: Supplier | null
}

type Phase =
  | { kind: 'idle' }
  | { kind: 'asking'; asked: Set<Supplier>; offers: Offer[]; graceMs: number }
  | { kind: 'manifest'; target: Target; intake: ManifestIntake; supplier: Supplier; startMs: number }
  | {
      kind: 'checking'
      target: Target
      entries: PackedManifest
      next: number
      absent: number[]
      /** When all of it is checked, and until it is prepared. */
      writer: SnapshotWriter | null
    }
  | { kind: 'chunks'; target: Target; chunks: ChunkFetch }
  | {
      kind: 'writing'
      target: Target
      chunks: ChunkFetch
      step: 'finishing' | 'certifying'
      ended: { error: unknown } | null
    }
  | { kind: 'waiting'; dueMs: number; why: string }

const outlivedWhy = 'whoever answers no longer has it'

export class StateTransfer {
  readonly #options: StateTransferOptions
  readonly #host: TransferHost
  readonly #servers: Correspondence
  #minimumHeight: Height = 0
  #phase: Phase = { kind: 'idle' }
  /** Rounds in a row that brought nothing. */
  #vainRounds = 0
  #progress = false
  #nowMs = 0

  constructor(options: StateTransferOptions) {
    this.#options = options
    this.#host = options.host
    this.#servers = new Correspondence(options.random.u32(), {
      send: options.host.send,
      note: (kind, detail) => this.#note(kind, detail),
      ended: (request) => {
        if (this.#phase.kind === 'chunks') this.#phase.chunks.ended(request)
      },
    })
  }

  get active(): boolean {
    return this.#phase.kind !== 'idle'
  }

  /** Fetches a state of at least this height. Servers in the order of preference; those of an earlier call are asked before new ones. */
  want(minimumHeight: Height, from: readonly ReplicaId[], nowMs: number): void {
    this.#nowMs = nowMs
    // The latest word counts, also where it asks for less: whoever had the other state may be gone.
    this.#minimumHeight = minimumHeight
    if (!this.active) this.#servers.forgetAll()
    const { self, rules } = this.#options
    const more = this.#servers.add(from.filter((replica) => replica !== self && rules.membership.isMember(replica)))
    // Whoever is new may have what the others have not.
    if (this.active && !(more && this.#phase.kind === 'waiting')) return
    this.#vainRounds = 0
    this.#begin()
  }

  /** The state is not wanted any more. What was fetched stays in the store. False: it is being written, and `done` comes. */
  cancel(): boolean {
    this.#minimumHeight = 0
    if (this.#phase.kind === 'writing') return false
    this.#leave()
    this.#phase = { kind: 'idle' }
    return true
  }

  /**
   * This replica has come so far by itself: a state that is no higher is of no use any more. Whoever is asked what there is may say so first:
   * blocks that come one by one must not keep a state away.
   */
  reached(height: Height): void {
    const phase = this.#phase
    if (phase.kind === 'idle' || phase.kind === 'asking' || phase.kind === 'writing') return
    if (height < ('target' in phase ? phase.target.checkpoint.header.height : this.#minimumHeight)) return
    if (height >= this.#minimumHeight) return void this.cancel()
    // More was wanted meanwhile.
    this.#leave()
    this.#begin()
  }

  /** An answer: what came on channel 4 and is no request. */
  message(from: ReplicaId, body: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs
    const supplier = this.#servers.supplier(from)
    if (!this.active || supplier === null || supplier.lied !== null) return this.#servers.drop(from, 'not asked')
    if (body.length > answerBytesMax) this.#servers.lie(supplier, 'an answer that is too large')
    else {
      const decoded = decode(transferAnswerCodec, isChunk(body) ? body : body.slice())
      if (decoded.ok) this.#answer(supplier, decoded.value)
      else this.#servers.lie(supplier, decoded.error.code)
    }
    this.#go()
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs
    const overdue = this.#servers.expire(nowMs)
    const phase = this.#phase
    const isHeldUp = phase.kind === 'manifest' && overdue.includes(phase.supplier)
    // The first that is silent is not waited for while somebody else can be asked.
    if (isHeldUp && this.#isTurnOfOther(phase, turnOfSlow)) this.#startManifest(phase.target)
    else if (phase.kind === 'manifest' && this.#servers.outlived) this.#fail(outlivedWhy)
    // And where all were silent, those before it may be there again, and it may never be.
    else if (isHeldUp && phase.intake.length === 0 && this.#isTurnOfOther(phase, turnOfSilent)) {
      this.#startManifest(phase.target)
    } else if (phase.kind === 'waiting' && nowMs >= phase.dueMs) this.#begin()
    else if (phase.kind === 'manifest' && nowMs >= this.#manifestDueMs(phase))
      this.#servers.spend(phase.supplier, 'too slow')
    else if (phase.kind === 'checking') this.#check(phase)
    else if (phase.kind === 'writing' && phase.ended !== null) this.#written(phase, phase.ended.error)
    this.#go()
  }

  nextDueMs(): number | null {
    const phase = this.#phase
    const requestsMs = this.#servers.requests.nextDueMs()
    let dueMs = requestsMs
    if (phase.kind === 'asking') dueMs = Math.min(dueMs, phase.graceMs)
    else if (phase.kind === 'manifest') dueMs = Math.min(dueMs, this.#manifestDueMs(phase))
    else if (phase.kind === 'waiting') dueMs = phase.dueMs
    else if (phase.kind === 'checking' || (phase.kind === 'writing' && phase.ended !== null)) dueMs = this.#nowMs
    else if (phase.kind === 'chunks' && !phase.chunks.paused && requestsMs === Infinity) dueMs = this.#nowMs
    return dueMs === Infinity ? null : dueMs
  }

  status(): TransferStatus {
    const phase = this.#phase
    const target = 'target' in phase ? phase.target : null
    const ledger = phase.kind === 'chunks' ? phase.chunks.ledger : null
    return {
      phase: phase.kind,
      why: phase.kind === 'waiting' ? phase.why : null,
      minimumHeight: this.#minimumHeight,
      height: target?.checkpoint.header.height ?? null,
      chunks: ledger?.total ?? null,
      chunksLeft: ledger?.left ?? null,
      bytes: ledger?.totalBytes ?? null,
      paused: phase.kind === 'chunks' && phase.chunks.paused,
      servers: this.#servers.suppliers.map(({ replica, bytes, chunks, lied, spent }) => ({
        replica,
        bytes,
        chunks,
        lied,
        spent,
      })),
    }
  }

  // Rounds

  #begin(): void {
    this.#servers.newRound()
    this.#progress = false
    this.#phase = { kind: 'asking', asked: new Set(), offers: [], graceMs: Infinity }
    this.#go()
  }

  /** Goes on with whatever is to be done next. Ends: each turn of the loop asks something, or changes the phase towards its end. */
  #go(): void {
    for (let before: Phase | null = null; before !== this.#phase;) {
      before = this.#phase
      if (before.kind === 'asking') this.#askNewest(before)
      else if (before.kind === 'manifest') this.#askManifest(before)
      else if (before.kind === 'chunks') this.#askChunks(before)
    }
  }

  /** All that could be tried has failed: again after a while, from the newest certificate on. What was fetched is kept. */
  #fail(why: string): void {
    this.#leave()
    // Who offers what nobody can have of it is believed less next time, or it could keep us busy for ever.
    if ('target' in this.#phase) for (const supplier of this.#phase.target.by) supplier.failures++
    this.#vainRounds = this.#progress ? 0 : this.#vainRounds + 1
    const doublings = Math.min(this.#vainRounds, 16)
    const pauseMs = this.#servers.allLied ? backoffMsMax : Math.min(backoffMsMax, backoffMsMin * 2 ** doublings)
    const dueMs = this.#nowMs + pauseMs + this.#options.random.below(Math.ceil(pauseMs / 4))
    this.#phase = { kind: 'waiting', dueMs, why }
    this.#note('transfer-failed', { why })
  }

  #leave(): void {
    this.#servers.endAll()
    if (this.#phase.kind === 'chunks') this.#phase.chunks.abandon()
    else if (this.#phase.kind === 'checking') this.#phase.writer?.abandon()
  }

  // The newest certificate

  #askNewest(phase: Phase & { kind: 'asking' }): void {
    const { requests, suppliers } = this.#servers
    for (const supplier of suppliers) {
      if (phase.offers.length > 0 || requests.size >= newestAskedMax) break
      if (!supplier.usable || phase.asked.has(supplier)) continue
      phase.asked.add(supplier)
      this.#servers.ask('newest', supplier, (request) => ({ kind: 'newest', request }), this.#nowMs)
    }
    if (requests.size > 0 && this.#nowMs < phase.graceMs) return
    const best = bestOf(phase.offers)
    if (best === null) return this.#fail('no server has a checkpoint that is new enough')
    this.#servers.endAll()
    this.#note('transfer-started', { height: best.checkpoint.header.height })
    this.#startManifest({ ...best, manifestBy: null })
  }

  #offered(supplier: Supplier, checkpoint: Checkpoint, phase: Phase & { kind: 'asking' }): void {
    const { rules } = this.#options
    // Not new enough, which is no lie.
    if (checkpoint.header.height < this.#minimumHeight) return
    const body = rules.body(checkpoint.header)
    const known = phase.offers.find((offer) => equalBytes(rules.body(offer.checkpoint.header), body))
    if (known !== undefined) return void known.by.add(supplier)
    const fault = rules.fault(checkpoint)
    if (fault !== null) return this.#servers.lie(supplier, fault)
    phase.offers.push({ checkpoint, by: new Set([supplier]) })
    phase.graceMs = Math.min(phase.graceMs, this.#nowMs + newestGraceMs)
  }

  // Its manifest

  /** From one server alone: when it is wrong, it is plain who lied. Those who offered the checkpoint come first. */
  #startManifest(target: Target): void {
    const { suppliers } = this.#servers
    const turn = Math.min(...suppliers.map(({ manifestTurn }) => manifestTurn))
    if (turn === Infinity) return this.#fail('no server has the manifest')
    const free = suppliers.filter(({ manifestTurn }) => manifestTurn === turn)
    const supplier = free.find((one) => target.by.has(one)) ?? free[0]!
    supplier.manifestAsked()
    const intake = new ManifestIntake(this.#options.hasher, target.checkpoint.header.stateRoot!)
    this.#phase = { kind: 'manifest', target, intake, supplier, startMs: this.#nowMs }
  }

  #isTurnOfOther({ supplier }: Phase & { kind: 'manifest' }, turnMax: number): boolean {
    return this.#servers.suppliers.some((other) => other !== supplier && other.manifestTurn <= turnMax)
  }

  #askManifest({ target, intake, supplier }: Phase & { kind: 'manifest' }): void {
    if (!supplier.usable) return this.#startManifest(target)
    if (this.#servers.requests.size > 0) return
    const { height } = target.checkpoint.header
    const first = intake.length
    this.#servers.ask('manifest', supplier, (request) => ({ kind: 'manifest', request, height, first }), this.#nowMs)
  }

  /** Each page may come just in time; all of them together may not. */
  #manifestDueMs({ intake, startMs }: Phase & { kind: 'manifest' }): number {
    const pages = Math.ceil((intake.total ?? 0) / pageEntriesMax)
    return startMs + (manifestMs + pages * manifestPageMs) * 2 ** Math.min(this.#vainRounds, 10)
  }

  #page(phase: Phase & { kind: 'manifest' }, total: number, page: readonly ManifestEntry[]): void {
    const { supplier, intake, target } = phase
    const taken = intake.add(total, page)
    if (taken.kind === 'lie') return this.#servers.lie(supplier, taken.reason)
    if (taken.kind === 'more') return
    const { entries } = taken
    const believed = { ...target, manifestBy: supplier }
    this.#phase = { kind: 'checking', target: believed, entries, next: 0, absent: [], writer: null }
  }

  /**
   * What the store has already is read once: the root binds digests, not names, so the manifest may lie about it; and a chunk that the
   * disk has lost must be fetched before the older snapshot goes.
   */
  #check(phase: Phase & { kind: 'checking' }): void {
    const { store, chunkDigest } = this.#options
    const { target, entries } = phase
    const end = Math.min(entries.length, phase.next + checkedEntriesAtOnce)
    for (let bytes = 0; phase.next < end && bytes < checkedBytesAtOnce; phase.next++) {
      const entry = entries.at(phase.next)!
      const found = store.has(entry.digest) ? store.read(entry) : null
      bytes += found?.length ?? 0
      if (found === null ? store.has(entry.digest) : found.length !== entry.size) return this.#falseManifest(target)
      if (found === null) phase.absent.push(phase.next)
    }
    if (phase.next < entries.length) return
    const { checkpoint } = target
    const writer = (phase.writer ??= store.begin(checkpoint.header, entries))
    if (writer.prepare()) return
    const drained = (): void => this.#host.wake()
    const chunks = new ChunkFetch({
      checkpoint,
      writer,
      entries,
      absent: phase.absent,
      servers: this.#servers,
      chunkDigest,
      drained,
    })
    this.#phase = { kind: 'chunks', target, chunks }
    this.#note('transfer-chunks', { chunks: chunks.ledger.left, bytes: chunks.ledger.totalBytes })
  }

  /** The manifest named a chunk otherwise than its digest does. */
  #falseManifest(target: Target): void {
    this.#leave()
    if (target.manifestBy !== null) this.#servers.lie(target.manifestBy, 'a manifest with a false name or size')
    this.#phase = { kind: 'waiting', dueMs: this.#nowMs, why: 'the manifest was false' }
    this.#startManifest({ ...target, manifestBy: null })
  }

  // Its chunks

  #askChunks({ chunks, target }: Phase & { kind: 'chunks' }): void {
    if (chunks.ledger.left === 0) this.#finish(chunks, target)
    else if (this.#servers.outlived) this.#fail(outlivedWhy)
    else if (!chunks.ask(this.#nowMs)) this.#fail('no server has the rest of the chunks')
  }

  #finish(chunks: ChunkFetch, target: Target): void {
    this.#servers.endAll()
    const phase: Phase & { kind: 'writing' } = { kind: 'writing', target, chunks, step: 'finishing', ended: null }
    this.#phase = phase
    chunks.finish((error) => this.#ended(phase, error))
  }

  #ended(phase: Phase & { kind: 'writing' }, error: unknown): void {
    phase.ended = { error }
    this.#host.wake()
  }

  #written(phase: Phase & { kind: 'writing' }, error: unknown): void {
    const { checkpoint } = phase.target
    const { height } = checkpoint.header
    if (error !== null) {
      phase.chunks.abandon()
      // Disk full, perhaps: what is there is there, and the store says what is missing when it is tried again.
      return this.#fail(`the store failed: ${describe(error)}`)
    }
    if (phase.step === 'finishing') {
      const { store } = this.#options
      if (phase.chunks.unseen.some((entry) => store.read(entry)?.length !== entry.size)) {
        return this.#falseManifest(phase.target)
      }
      phase.step = 'certifying'
      phase.ended = null
      return store.certify(checkpoint, (error) => this.#ended(phase, error))
    }
    this.#note('transfer-done', { height })
    this.#phase = { kind: 'idle' }
    if (this.#minimumHeight > height) this.#begin()
    else this.#minimumHeight = 0
    this.#host.done(checkpoint)
  }

  #answer(supplier: Supplier, answer: TransferAnswer): void {
    const phase = this.#phase
    if (phase.kind === 'chunks' && answer.kind === 'chunk') return this.#chunk(supplier, answer, phase)
    if (phase.kind === 'chunks' && answer.kind === 'lacking') return phase.chunks.lacking(supplier, answer, this.#nowMs)
    const request = this.#servers.requests.of(supplier, answer.request)
    if (request === null) return this.#servers.unexpected(supplier, answer.request, this.#nowMs)
    this.#servers.requests.progress(request, this.#nowMs)
    this.#servers.end(request)
    if (answer.kind === 'gone') {
      if (request.kind === 'newest') return
      supplier.gone = true
      this.#servers.spend(supplier, 'gone')
    } else if (phase.kind === 'asking' && answer.kind === 'checkpoint') {
      this.#offered(supplier, answer.checkpoint, phase)
    } else if (phase.kind === 'manifest' && answer.kind === 'manifest-page') {
      this.#page(phase, answer.total, answer.entries)
    } else this.#servers.lie(supplier, 'an answer to another question')
  }

  #chunk(supplier: Supplier, answer: TransferAnswer & { kind: 'chunk' }, phase: Phase & { kind: 'chunks' }): void {
    const taken = phase.chunks.chunk(supplier, answer, this.#nowMs)
    if (taken === 'taken') this.#progress = true
    else if (taken === 'false manifest') this.#falseManifest(phase.target)
  }

  #note(kind: string, detail: Record<string, string | number>): void {
    this.#host.note?.({ kind, detail })
  }
}

/** The newest of those whose servers have failed least: who offers a new one and is silent then is not believed for ever. */
function bestOf(offers: readonly Offer[]): Offer | null {
  const failures = ({ by }: Offer): number => Math.min(...[...by].map((supplier) => supplier.failures))
  const order = (left: Offer, right: Offer): number =>
    failures(left) - failures(right) || right.checkpoint.header.height - left.checkpoint.header.height
  return [...offers].sort(order)[0] ?? null
}

/** The store's errors are objects with a sentence. */
function describe(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)
}
