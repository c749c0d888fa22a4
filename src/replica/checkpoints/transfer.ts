/**
 * Brings the state of a stable checkpoint from others: asks several servers for the newest certificate, one for its manifest, and all
 * of them for the chunks that are missing here. Nothing is believed: README.md says what each answer is checked against, and what
 * becomes of a server that lies, is silent, or has nothing.
 *
 * Pure: it is told the time (monotonic milliseconds), and `nextDueMs` says when `tick` is wanted.
 */

import { decode, encode } from '../../wire/codec.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Hasher } from '../../kernel/crypto-ports.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import type { ManifestEntry } from '../../kernel/manifest.ts'
import type { ProtocolEvent } from '../../kernel/protocol.ts'
import type { Random } from '../../kernel/random.ts'
import { equalBytes } from '../../execution/merkle.ts'
import type { CertificateRules } from './certificate.ts'
import { ChunkLedger, chunkKey } from './chunk-ledger.ts'
import {
  allBytesAskedMax,
  allChunksAskedMax,
  answerBytesMax,
  backoffMsMax,
  backoffMsMin,
  checkedBytesAtOnce,
  checkedEntriesAtOnce,
  chunksAskedMax,
  lackingMax,
  manifestMs,
  manifestPageMs,
  newestAskedMax,
  newestGraceMs,
  pageEntriesMax,
} from './limits.ts'
import { ManifestIntake } from './manifest-intake.ts'
import type { ChunkDigest, SnapshotSink, SnapshotWriter } from './ports.ts'
import { RequestTable, type PendingRequest } from './requests.ts'
import { Supplier } from './supplier.ts'
import {
  transferAnswerCodec,
  transferRequestCodec,
  type TransferAnswer,
  type TransferRequest,
} from './transfer-messages.ts'
import type { TransferStatus } from './transfer-status.ts'

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
  | { kind: 'checking'; target: Target; intake: ManifestIntake; next: number }
  | { kind: 'chunks'; target: Target; ledger: ChunkLedger; writer: SnapshotWriter; paused: boolean }
  | { kind: 'writing'; target: Target; ended: { error: unknown } | null }
  | { kind: 'waiting'; dueMs: number; why: string }

export class StateTransfer {
  readonly #options: StateTransferOptions
  readonly #host: TransferHost
  readonly #requests: RequestTable
  /** In the order in which they are asked. */
  #suppliers: Supplier[] = []
  #minimumHeight: Height = 0
  #phase: Phase = { kind: 'idle' }
  /** Rounds in a row that brought nothing. */
  #vainRounds = 0
  #progress = false
  #nowMs = 0

  constructor(options: StateTransferOptions) {
    this.#options = options
    this.#host = options.host
    this.#requests = new RequestTable(options.random.u32())
  }

  get active(): boolean {
    return this.#phase.kind !== 'idle'
  }

  /** Fetches a state of at least this height. Servers in the order of preference; those of an earlier call are asked before new ones. */
  want(minimumHeight: Height, from: readonly ReplicaId[], nowMs: number): void {
    this.#nowMs = nowMs
    this.#minimumHeight = Math.max(this.#minimumHeight, minimumHeight)
    if (!this.active) this.#suppliers = []
    const { self, rules } = this.#options
    for (const replica of from) {
      if (replica === self || !rules.membership.isMember(replica) || this.#supplier(replica) !== null) continue
      this.#suppliers.push(new Supplier(replica))
    }
    if (this.active) return
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

  /** An answer: what came on channel 4 and is no request. */
  message(from: ReplicaId, body: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs
    const supplier = this.#supplier(from)
    if (!this.active || supplier === null || supplier.lied !== null) return this.#drop(from, 'not asked')
    if (body.length > answerBytesMax) this.#lie(supplier, 'an answer that is too large')
    else {
      const decoded = decode(transferAnswerCodec, body)
      if (decoded.ok) this.#answer(supplier, decoded.value)
      else this.#lie(supplier, decoded.error.code)
    }
    this.#go()
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs
    for (const request of this.#requests.overdue(nowMs)) this.#timedOut(request)
    const phase = this.#phase
    if (phase.kind === 'waiting' && nowMs >= phase.dueMs) this.#begin()
    else if (phase.kind === 'manifest' && nowMs >= this.#manifestDueMs(phase)) this.#spend(phase.supplier, 'too slow')
    else if (phase.kind === 'checking') this.#check(phase)
    else if (phase.kind === 'writing' && phase.ended !== null) return this.#written(phase.target, phase.ended.error)
    this.#go()
  }

  nextDueMs(): number | null {
    const phase = this.#phase
    let dueMs = this.#requests.nextDueMs()
    if (phase.kind === 'asking') dueMs = Math.min(dueMs, phase.graceMs)
    else if (phase.kind === 'manifest') dueMs = Math.min(dueMs, this.#manifestDueMs(phase))
    else if (phase.kind === 'waiting') dueMs = phase.dueMs
    else if (phase.kind === 'checking' || (phase.kind === 'writing' && phase.ended !== null)) dueMs = this.#nowMs
    else if (phase.kind === 'chunks' && !phase.paused && this.#requests.size === 0) dueMs = this.#nowMs
    return dueMs === Infinity ? null : dueMs
  }

  status(): TransferStatus {
    const phase = this.#phase
    const target = 'target' in phase ? phase.target : null
    const ledger = phase.kind === 'chunks' ? phase.ledger : null
    return {
      phase: phase.kind,
      why: phase.kind === 'waiting' ? phase.why : null,
      minimumHeight: this.#minimumHeight,
      height: target?.checkpoint.header.height ?? null,
      chunks: ledger?.total ?? null,
      chunksLeft: ledger?.left ?? null,
      bytes: ledger?.totalBytes ?? null,
      servers: this.#suppliers.map(({ replica, bytes, chunks, lied, spent }) => ({
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
    if (this.#suppliers.every(({ lied }) => lied !== null)) {
      // Nobody is left: better a liar who may tell the truth this time than nothing.
      for (const supplier of this.#suppliers) supplier.lied = null
    }
    for (const supplier of this.#suppliers) supplier.newRound()
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
    const liars = this.#suppliers.every(({ lied }) => lied !== null)
    this.#vainRounds = this.#progress ? 0 : this.#vainRounds + 1
    const pauseMs = liars ? backoffMsMax : Math.min(backoffMsMax, backoffMsMin * 2 ** Math.min(this.#vainRounds, 16))
    this.#phase = {
      kind: 'waiting',
      dueMs: this.#nowMs + pauseMs + this.#options.random.below(Math.ceil(pauseMs / 4)),
      why,
    }
    this.#note('transfer-failed', { why })
  }

  #leave(): void {
    this.#requests.endAll()
    for (const supplier of this.#suppliers) supplier.late.clear()
    const phase = this.#phase
    if (phase.kind !== 'chunks') return
    phase.writer.onDrain = null
    phase.writer.abandon()
  }

  // The newest certificate

  #askNewest(phase: Phase & { kind: 'asking' }): void {
    for (const supplier of this.#suppliers) {
      if (phase.offers.length > 0 || this.#requests.size >= newestAskedMax) break
      if (!supplier.usable || phase.asked.has(supplier)) continue
      phase.asked.add(supplier)
      this.#ask('newest', supplier, (request) => ({ kind: 'newest', request }))
    }
    const decided = this.#requests.size === 0 || this.#nowMs >= phase.graceMs
    if (!decided) return
    const best = this.#best(phase.offers)
    this.#requests.endAll()
    if (best === null) return this.#fail('no server has a checkpoint that is new enough')
    this.#note('transfer-started', { height: best.checkpoint.header.height })
    this.#startManifest({ ...best, manifestBy: null })
  }

  /** The newest of those whose servers have failed least: who offers a new one and is silent then is not believed for ever. */
  #best(offers: readonly Offer[]): Offer | null {
    const failures = ({ by }: Offer): number => Math.min(...[...by].map((supplier) => supplier.failures))
    const order = (left: Offer, right: Offer): number =>
      failures(left) - failures(right) || right.checkpoint.header.height - left.checkpoint.header.height
    return [...offers].sort(order)[0] ?? null
  }

  #offered(supplier: Supplier, checkpoint: Checkpoint, phase: Phase & { kind: 'asking' }): void {
    const { rules } = this.#options
    // Not new enough, which is no lie.
    if (checkpoint.header.height < this.#minimumHeight) return
    const body = rules.body(checkpoint.header)
    const known = phase.offers.find((offer) => equalBytes(rules.body(offer.checkpoint.header), body))
    if (known !== undefined) return void known.by.add(supplier)
    const fault = rules.fault(checkpoint)
    if (fault !== null) return this.#lie(supplier, fault)
    phase.offers.push({ checkpoint, by: new Set([supplier]) })
    phase.graceMs = Math.min(phase.graceMs, this.#nowMs + newestGraceMs)
  }

  // Its manifest

  /** From one server alone: when it is wrong, it is plain who lied. Those who offered the checkpoint come first. */
  #startManifest(target: Target): void {
    const free = this.#suppliers.filter((supplier) => supplier.usable && !supplier.manifestAsked)
    const supplier = free.find((one) => target.by.has(one)) ?? free[0]
    if (supplier === undefined) return this.#fail('no server has the manifest')
    supplier.manifestAsked = true
    const intake = new ManifestIntake(this.#options.hasher, target.checkpoint.header.stateRoot!)
    this.#phase = { kind: 'manifest', target, intake, supplier, startMs: this.#nowMs }
  }

  #askManifest({ target, intake, supplier }: Phase & { kind: 'manifest' }): void {
    if (!supplier.usable) return this.#startManifest(target)
    if (this.#requests.size > 0) return
    const { height } = target.checkpoint.header
    this.#ask('manifest', supplier, (request) => ({ kind: 'manifest', request, height, first: intake.entries.length }))
  }

  #manifestDueMs({ intake, startMs }: Phase & { kind: 'manifest' }): number {
    const pages = Math.ceil((intake.total ?? 0) / pageEntriesMax)
    return startMs + (manifestMs + pages * manifestPageMs) * 2 ** Math.min(this.#vainRounds, 10)
  }

  #page(phase: Phase & { kind: 'manifest' }, total: number, page: readonly ManifestEntry[]): void {
    const { supplier, intake } = phase
    const taken = intake.add(total, page)
    if (taken.kind === 'lie') this.#lie(supplier, taken.reason)
    else if (taken.kind === 'whole') {
      phase.target.manifestBy = supplier
      this.#phase = { kind: 'checking', target: phase.target, intake, next: 0 }
    }
  }

  /**
   * What the store has already is read once: the root binds digests, not names, so the manifest may lie about it; and a chunk that the
   * disk has lost must be fetched before the older snapshot goes.
   */
  #check(phase: Phase & { kind: 'checking' }): void {
    const { store } = this.#options
    const { entries } = phase.intake
    const end = Math.min(entries.length, phase.next + checkedEntriesAtOnce)
    for (let bytes = 0; phase.next < end && bytes < checkedBytesAtOnce; phase.next++) {
      const entry = entries[phase.next]!
      if (!store.has(entry.digest)) continue
      const found = store.read(entry)
      bytes += found?.length ?? 0
      if (found !== null && found.length !== entry.size) return this.#falseManifest(phase.target)
    }
    if (phase.next < entries.length) return
    const writer = store.begin(phase.target.checkpoint.header, entries)
    const chunks: Phase = {
      kind: 'chunks',
      target: phase.target,
      ledger: new ChunkLedger(writer.missing),
      writer,
      paused: false,
    }
    writer.onDrain = () => {
      chunks.paused = false
      this.#host.wake()
    }
    this.#phase = chunks
    this.#note('transfer-chunks', { chunks: chunks.ledger.left, bytes: chunks.ledger.totalBytes })
  }

  /** The manifest named a chunk otherwise than its digest does. */
  #falseManifest(target: Target): void {
    this.#leave()
    if (target.manifestBy !== null) this.#lie(target.manifestBy, 'a manifest with a false name or size')
    this.#phase = { kind: 'waiting', dueMs: this.#nowMs, why: 'the manifest was false' }
    this.#startManifest({ ...target, manifestBy: null })
  }

  // Its chunks

  #askChunks(phase: Phase & { kind: 'chunks' }): void {
    const { ledger, target } = phase
    if (ledger.left === 0) return this.#finish(phase)
    if (phase.paused) return
    for (const supplier of this.#suppliers) {
      if (!supplier.mayAsk) continue
      const entries: ManifestEntry[] = []
      const hasRoom = ({ size }: ManifestEntry): boolean => this.#hasRoom(supplier, size)
      while (entries.length < chunksAskedMax) {
        const entry = ledger.next(supplier, hasRoom)
        if (entry === null) break
        entries.push(entry)
        ledger.asked(entry, this.#requests.nextNumber)
        this.#requests.asked(supplier, entry)
      }
      if (entries.length === 0) continue
      const { height } = target.checkpoint.header
      const digests = entries.map(({ digest }) => digest)
      this.#ask('chunks', supplier, (request) => ({ kind: 'chunks', request, height, digests }), entries)
    }
    if (this.#requests.size === 0) this.#fail('no server has the rest of the chunks')
  }

  #hasRoom(supplier: Supplier, size: number): boolean {
    if (!supplier.hasRoom(size)) return false
    const { bytes, chunks } = this.#requests
    return chunks === 0 || (chunks < allChunksAskedMax && bytes + size <= allBytesAskedMax)
  }

  #chunk(supplier: Supplier, answer: TransferAnswer & { kind: 'chunk' }, phase: Phase & { kind: 'chunks' }): void {
    const key = chunkKey(answer.digest)
    const request = this.#requests.of(supplier, answer.request, 'chunks')
    const late = supplier.late.get(answer.request)
    const entry = (request ?? late)?.entries.get(key)
    if (entry === undefined) return this.#drop(supplier.replica, 'not asked')
    late?.entries.delete(key)
    if (late !== undefined) supplier.answered(this.#nowMs - late.sentMs)
    const wanted = phase.ledger.wants(key)
    if (wanted && !equalBytes(this.#options.chunkDigest(answer, answer.bytes), answer.digest)) {
      return this.#lie(supplier, 'a chunk with other bytes')
    }
    if (wanted && !isNamed(entry, answer)) return this.#falseManifest(phase.target)
    if (request !== null) this.#settled(request, key)
    if (!wanted) return
    supplier.bytes += answer.bytes.length
    supplier.chunks++
    this.#progress = true
    phase.ledger.got(key)
    if (!phase.writer.add(entry, answer.bytes)) phase.paused = true
  }

  #settled(request: PendingRequest, key: string): void {
    this.#requests.settled(request, key)
    this.#requests.progress(request, this.#nowMs)
    if (request.entries.size > 0) return
    this.#requests.end(request)
    request.supplier.keepsUp()
  }

  #lacking(supplier: Supplier, answer: TransferAnswer & { kind: 'lacking' }, phase: Phase & { kind: 'chunks' }): void {
    const request = this.#requests.of(supplier, answer.request, 'chunks')
    if (request === null) return this.#drop(supplier.replica, 'not asked')
    for (const digest of answer.digests) {
      const key = chunkKey(digest)
      const entry = request.entries.get(key)
      if (entry === undefined) continue
      supplier.lacks.add(key)
      this.#settled(request, key)
      phase.ledger.returned(key, entry, request.number)
    }
    if (supplier.lacks.size > lackingMax) this.#spend(supplier, 'lacks too much')
  }

  #finish({ writer, target }: Phase & { kind: 'chunks' }): void {
    this.#requests.endAll()
    const phase: Phase = { kind: 'writing', target, ended: null }
    this.#phase = phase
    const ended = (error: unknown): void => {
      phase.ended = { error }
      this.#host.wake()
    }
    writer.onDrain = null
    writer.finish((error) => {
      if (error !== null) ended(error)
      else if (this.#phase === phase) this.#options.store.certify(target.checkpoint, ended)
    })
  }

  #written({ checkpoint }: Target, error: unknown): void {
    // Disk full, perhaps: what is there is there, and the store says what is missing when it is tried again.
    if (error !== null) return this.#fail(`the store failed: ${String(error)}`)
    const { height } = checkpoint.header
    const more = this.#minimumHeight > height
    this.#phase = { kind: 'idle' }
    if (more) this.#begin()
    else this.#minimumHeight = 0
    this.#note('transfer-done', { height })
    this.#host.done(checkpoint)
  }

  // Servers

  #answer(supplier: Supplier, answer: TransferAnswer): void {
    const phase = this.#phase
    if (answer.kind === 'chunk' && phase.kind === 'chunks') return this.#chunk(supplier, answer, phase)
    if (answer.kind === 'lacking' && phase.kind === 'chunks') return this.#lacking(supplier, answer, phase)
    const request = this.#requests.of(supplier, answer.request)
    if (request === null) return this.#unexpected(supplier, answer.request)
    this.#requests.progress(request, this.#nowMs)
    this.#end(request)
    if (answer.kind === 'gone') {
      if (request.kind !== 'newest') this.#spend(supplier, 'gone')
    } else if (answer.kind === 'checkpoint' && phase.kind === 'asking')
      this.#offered(supplier, answer.checkpoint, phase)
    else if (answer.kind === 'manifest-page' && phase.kind === 'manifest')
      this.#page(phase, answer.total, answer.entries)
    else this.#lie(supplier, 'an answer to another question')
  }

  /** Too late, or never asked for. How late it was says how long to wait the next time. */
  #unexpected(supplier: Supplier, number: number): void {
    const late = supplier.late.get(number)
    if (late === undefined) return this.#drop(supplier.replica, 'not asked')
    supplier.late.delete(number)
    supplier.answered(this.#nowMs - late.sentMs)
  }

  /** What did not come is asked for again. */
  #end(request: PendingRequest): void {
    this.#requests.end(request)
    if (this.#phase.kind !== 'chunks') return
    for (const [key, entry] of request.entries) this.#phase.ledger.returned(key, entry, request.number)
  }

  #timedOut(request: PendingRequest): void {
    const { supplier } = request
    this.#end(request)
    if (supplier.timedOut(request)) this.#spend(supplier, 'silent')
  }

  /** Nothing more from it in this round, and in the next it comes last. */
  #spend(supplier: Supplier, why: string): void {
    if (!supplier.usable) return
    supplier.spend()
    this.#note('transfer-server-spent', { server: supplier.replica, why })
    for (const request of this.#requests.from(supplier)) this.#end(request)
    this.#suppliers = [...this.#suppliers.filter((other) => other !== supplier), supplier]
  }

  #lie(supplier: Supplier, what: string): void {
    if (supplier.lied !== null) return
    supplier.lied = what
    supplier.late.clear()
    for (const request of this.#requests.from(supplier)) this.#end(request)
    this.#note('transfer-server-lied', { server: supplier.replica, what })
  }

  #ask(
    kind: PendingRequest['kind'],
    supplier: Supplier,
    message: (request: number) => TransferRequest,
    entries: readonly ManifestEntry[] = [],
  ): void {
    const request = this.#requests.add(kind, supplier, entries, this.#nowMs)
    this.#host.send(supplier.replica, encode(transferRequestCodec, message(request.number)))
  }

  #supplier(replica: ReplicaId): Supplier | null {
    return this.#suppliers.find((supplier) => supplier.replica === replica) ?? null
  }

  #drop(from: ReplicaId, reason: string): void {
    this.#note('transfer-dropped', { server: from, reason })
  }

  #note(kind: string, detail: Record<string, string | number>): void {
    this.#host.note?.({ kind, detail })
  }
}

function isNamed(entry: ManifestEntry, chunk: { part: number; id: Uint8Array; bytes: Uint8Array }): boolean {
  return entry.part === chunk.part && entry.size === chunk.bytes.length && equalBytes(entry.id, chunk.id)
}
