/**
 * Makes checkpoints stable: signs the header of each checkpoint height, collects the others' signatures, repeats its own while a quorum
 * is missing, and gives whoever lags the certificate. One code for all protocols; README.md has the rules and their reasons.
 *
 * Pure: it is told the time (monotonic milliseconds), and `nextDueMs` says when `tick` is wanted.
 */

import { decode, encode } from '../../wire/codec.ts'
import type { BlockHeader } from '../../kernel/block.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Signer } from '../../kernel/crypto-ports.ts'
import { signingDomains } from '../../kernel/domains.ts'
import type { Evidence, SignedStatement } from '../../kernel/evidence.ts'
import type { ExecutedHeader } from '../../kernel/executed-header.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type { Awaited } from '../../kernel/protocol.ts'
import type { CertificateRules } from '../../kernel/checkpoint-rules.ts'
import { checkpointMessageCodec, type CheckpointMessage } from './checkpoint-messages.ts'
import { certifiedMax, checkpointMessageBytesMax, repeatMsMax, voteHeightsMax } from './limits.ts'
import { VoteBook } from './vote-book.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

/** All calls come from within a call of the collector. */
export interface CollectorHost {
  send: (to: ReplicaId, body: Uint8Array) => void
  /** To all members but oneself. */
  broadcast: (body: Uint8Array) => void
  /** A quorum signed it. Heights rise; whether this replica has it executed or its snapshot written is not said. */
  certified: (checkpoint: Checkpoint) => void
  /** This replica executed this height with another result than a quorum: it has diverged, and must not go on. */
  diverged: (height: Height) => void
  accuse: (evidence: Evidence) => void
  /** A message was dropped: counted by sender and reason. */
  dropped?: (from: ReplicaId, reason: string) => void
}

export interface CollectorOptions {
  self: ReplicaId
  rules: CertificateRules
  signer: Signer
  /** What the disk holds already, newest first. */
  certified: readonly Checkpoint[]
  host: CollectorHost
}

interface Made {
  header: ExecutedHeader
  body: Uint8Array
  block: BlockHeader
  proof: DecisionProof
}

export class CheckpointCollector {
  readonly #self: ReplicaId
  readonly #rules: CertificateRules
  readonly #signer: Signer
  readonly #host: CollectorHost
  readonly #votes: VoteBook
  /** What this replica executed and nobody has certified yet, ascending. */
  #made: Made[] = []
  /** Newest first. */
  #certified: Checkpoint[]
  /** Of the newest height made. */
  #signature: Uint8Array | null = null
  #dueMs: number | null = null
  #pauseMs = 0
  #asked = 0
  readonly #told = new Map<ReplicaId, { height: Height; atMs: number }>()
  #diverged = false
  /** Signatures made: what tests and metrics ask. */
  signed = 0

  constructor(options: CollectorOptions) {
    this.#self = options.self
    this.#rules = options.rules
    this.#signer = options.signer
    this.#host = options.host
    this.#votes = new VoteBook(options.rules)
    this.#certified = [...options.certified].slice(0, certifiedMax)
  }

  /** The newest that a quorum signed, as far as is known here. */
  get newest(): Checkpoint | null {
    return this.#certified[0] ?? null
  }

  /** The certificate of just this height, while it is among those kept. */
  certificateAt(height: Height): Checkpoint | null {
    return this.#certified.find(({ header }) => header.height === height) ?? null
  }

  /** Whose votes for the newest height that this replica made are missing; null when nothing is waited for. */
  awaited(): Awaited | null {
    const newest = this.#made.at(-1)
    if (newest === undefined) return null
    const { voters, quorum } = this.#rules.membership
    const have = this.#votes.signers(newest.header.height, newest.body)
    const missing = voters.filter((voter) => !have.includes(voter))
    return { what: `checkpoint ${newest.header.height}`, quorum, have, missing }
  }

  nextDueMs(): number | null {
    return this.#dueMs
  }

  /**
   * This replica executed a checkpoint height itself, from a state that it executed or verified. Never for a checkpoint that was
   * restored: for that, see `restored`.
   */
  headerMade(header: ExecutedHeader, block: BlockHeader, proof: DecisionProof, nowMs: number): void {
    if (header.stateRoot === null)
      throw new RangeError(`height ${header.height} is no checkpoint: it has no state root`)
    if (this.#diverged) return
    const made: Made = { header, body: this.#rules.body(header), block, proof }
    const certified = this.certificateAt(header.height)
    if (certified !== null) return this.#compare(made, certified)
    if (header.height <= this.#newestHeight() || header.height <= this.#madeHeight()) return
    this.#made.push(made)
    if (this.#made.length > voteHeightsMax) this.#made.shift()
    this.#vote(made)
    this.#count(header.height)
    if (this.#madeHeight() === header.height) this.#repeatFrom(nowMs)
  }

  /** State transfer brought a state up to here. It was verified, not executed: nothing is signed for it. */
  restored(checkpoint: Checkpoint): void {
    const { height } = checkpoint.header
    if (height <= this.#newestHeight()) return
    const made = this.#made.find(({ header }) => header.height === height)
    if (made !== undefined) this.#compare(made, checkpoint)
    this.#keep(checkpoint)
  }

  message(from: ReplicaId, body: Uint8Array, nowMs: number): void {
    if (this.#diverged) return
    if (!this.#rules.membership.isMember(from) || from === this.#self) return this.#drop(from, 'not a member')
    if (body.length > checkpointMessageBytesMax) return this.#drop(from, 'too large')
    // What is kept of it must not keep the whole frame in memory.
    const decoded = decode(checkpointMessageCodec, body.slice())
    if (!decoded.ok) return this.#drop(from, decoded.error.code)
    const message = decoded.value
    if (message.kind === 'vote') this.#voted(from, message, nowMs)
    else if (message.kind === 'certificate') this.#certificate(from, message.checkpoint)
    else this.#tell(from, message.height, nowMs)
  }

  tick(nowMs: number): void {
    if (this.#dueMs === null || nowMs < this.#dueMs) return
    const made = this.#made.at(-1)
    if (made === undefined) return this.#rest()
    this.#pauseMs = Math.min(repeatMsMax, this.#pauseMs * 2)
    this.#dueMs = nowMs + this.#pauseMs
    if (this.#signature === null) this.#ask(made.header.height)
    else this.#broadcast(made, this.#signature, true)
  }

  #vote(made: Made): void {
    this.#signature = null
    if (!this.#rules.membership.isVoter(this.#self)) return
    this.signed++
    const signature = this.#signer.sign(this.#rules.signingBytes(made.body))
    this.#signature = signature
    this.#votes.own(this.#self, made.header.height, { body: made.body, signature })
    this.#broadcast(made, signature, false)
  }

  #broadcast({ header }: Made, signature: Uint8Array, repeated: boolean): void {
    this.#host.broadcast(encode(checkpointMessageCodec, { kind: 'vote', header, signature, repeated }))
  }

  /** A learner has no vote to repeat: it asks one voter after the other. */
  #ask(height: Height): void {
    const others = this.#rules.membership.voters.filter((voter) => voter !== this.#self)
    const voter = others[this.#asked++ % others.length]
    if (voter !== undefined) this.#host.send(voter, encode(checkpointMessageCodec, { kind: 'ask', height }))
  }

  #voted(from: ReplicaId, vote: CheckpointMessage & { kind: 'vote' }, nowMs: number): void {
    const { header, signature, repeated } = vote
    if (!this.#rules.membership.isVoter(from)) return this.#drop(from, 'not a voter')
    if (header.epoch !== this.#rules.epoch.number) return this.#drop(from, 'another epoch')
    if (header.stateRoot === null) return this.#drop(from, 'no state root')
    if (header.height < this.#newestHeight() || (repeated && header.height === this.#newestHeight())) {
      this.#tell(from, header.height, nowMs)
    }
    if (header.height <= this.#newestHeight()) return
    const recorded = this.#votes.record(from, header.height, { body: this.#rules.body(header), signature })
    if (recorded.kind === 'dropped') this.#drop(from, recorded.reason)
    else if (recorded.kind === 'equivocation') this.#accuse(from, recorded.first, recorded.second)
    else if (recorded.kind === 'new') this.#count(header.height)
  }

  /** A certificate needs block and proof of its height, so it is made by those who have executed it. */
  #count(height: Height): void {
    const made = this.#made.find(({ header }) => header.height === height)
    if (made === undefined) return
    const counted = this.#votes.count(height)
    if (counted === null) return
    if (!equalBytes(counted.body, made.body)) return this.#diverge(height)
    const { header, block, proof } = made
    this.#adopt({ header, signatures: counted.signatures, block, proof })
  }

  #certificate(from: ReplicaId, checkpoint: Checkpoint): void {
    const height = checkpoint.header.height
    if (height <= this.#newestHeight()) return
    if (this.#votes.muted(from)) return this.#drop(from, 'muted')
    const fault = this.#rules.fault(checkpoint)
    if (fault !== null) {
      this.#votes.invalid(from)
      return this.#drop(from, fault)
    }
    const made = this.#made.find(({ header }) => header.height === height)
    if (made !== undefined) this.#compare(made, checkpoint)
    this.#adopt(checkpoint)
  }

  #compare(made: Made, certified: Checkpoint): void {
    if (!equalBytes(made.body, this.#rules.body(certified.header))) this.#diverge(made.header.height)
  }

  #diverge(height: Height): void {
    this.#diverged = true
    this.#made = []
    this.#rest()
    this.#host.diverged(height)
  }

  #adopt(checkpoint: Checkpoint): void {
    this.#keep(checkpoint)
    if (!this.#diverged) this.#host.certified(checkpoint)
  }

  #keep(checkpoint: Checkpoint): void {
    const height = checkpoint.header.height
    this.#certified = [checkpoint, ...this.#certified].slice(0, certifiedMax)
    this.#made = this.#made.filter(({ header }) => header.height > height)
    this.#votes.forgive()
    if (this.#made.length === 0) this.#rest()
  }

  /** Not more often than what is lost is sent again: a certificate is larger than a vote. */
  #tell(to: ReplicaId, height: Height, nowMs: number): void {
    const newest = this.newest
    if (newest === null || newest.header.height < height) return
    const told = this.#told.get(to)
    const pauseMs = this.#rules.epoch.parameters.timers.retransmitMs
    if (told?.height === newest.header.height && nowMs < told.atMs + pauseMs) return
    this.#told.set(to, { height: newest.header.height, atMs: nowMs })
    this.#host.send(to, encode(checkpointMessageCodec, { kind: 'certificate', checkpoint: newest }))
  }

  #accuse(replica: ReplicaId, first: SignedStatement, second: SignedStatement): void {
    const { protocol, number } = this.#rules.epoch
    this.#host.accuse({ replica, protocol, epoch: number, domainTag: signingDomains.checkpoint, first, second })
  }

  #repeatFrom(nowMs: number): void {
    this.#pauseMs = this.#rules.epoch.parameters.timers.retransmitMs
    this.#dueMs = nowMs + this.#pauseMs
  }

  #rest(): void {
    this.#dueMs = null
    this.#signature = null
  }

  #newestHeight(): Height {
    return this.newest?.header.height ?? 0
  }

  #madeHeight(): Height {
    return this.#made.at(-1)?.header.height ?? 0
  }

  #drop(from: ReplicaId, reason: string): void {
    this.#host.dropped?.(from, reason)
  }
}
