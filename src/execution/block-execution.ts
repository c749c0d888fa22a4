/**
 * One decided block on its way through execution. It stops at each operation that the state machine is to apply, and goes on when it
 * is told how that came out; so one code serves machines that answer at once and machines that are awaited.
 *
 * LEAVES. Each operation that is executed for the first time has a leaf, and so has each refusal, opening, cancel and close. Replies
 * that were stored have none: their leaf is in the block in which they were executed.
 */

import { payloadEnvelopesCodec, type Block } from '../kernel/block.ts'
import { publicKeyBytes, type Digest, type Hasher, type PublicKey } from '../kernel/crypto-ports.ts'
import {
  envelopeCodec,
  isSensible,
  numbersOf,
  operationCount,
  type CancelEnvelope,
  type CloseEnvelope,
  type Envelope,
  type OpenEnvelope,
  type ReadEnvelope,
  type SessionId,
} from '../kernel/envelope.ts'
import type { RefusalCode } from '../kernel/outcome.ts'
import { resultBytesMax } from '../kernel/limits.ts'
import { parameterBounds } from '../kernel/parameters.ts'
import { decode } from '../wire/codec.ts'
import type { OpeningReply, OperationReply } from './executed-block.ts'
import { OperationContext, type OperationSurroundings } from './operation-context.ts'
import { cancelled, closed, encodeOutcome, executed, operationFailed, refusal } from './outcomes.ts'
import type { ResultsHasher } from './results.ts'
import { storedReply, type Session } from './session.ts'
import type { SessionTable } from './session-table.ts'
import type { ApplyContext } from './state-machine.ts'
import { equalBytes } from '../wire/equal-bytes.ts'

/** Operations of one block that are executed. No correct leader gathers more; what a faulty one adds is refused. */
export const blockOperationsMax: number = parameterBounds.batch.operationsMax.max
/**
 * Replies in one block beyond one for each leaf: stored ones, and those for each number of a cancel, of which a small envelope names a
 * thousand. Clients ask again for what is left out.
 */
export const blockExtraRepliesMax = 65_536

/** How the state machine's `apply` came out. */
export type ApplyOutcome =
  | { kind: 'result'; result: Uint8Array }
  /** It threw, and the machine has undone what it had done. */
  | { kind: 'rolled-back' }

export interface PendingOperation {
  kind: 'apply'
  operation: Uint8Array
  context: ApplyContext
}

export interface BlockExecutionPorts {
  hasher: Hasher
  results: ResultsHasher
  sessions: SessionTable
  validate: (command: Uint8Array) => string | null
}

const noClient: PublicKey = new Uint8Array(publicKeyBytes)
const noSession: SessionId = { height: 0, index: 0 }

/** An operations envelope of which some numbers are still to come. */
interface EnvelopeInProgress {
  session: Session
  firstNumber: number
  operations: readonly Uint8Array[]
  next: number
}

interface Awaited {
  session: Session
  number: number
  digest: Digest
}

export class BlockExecution {
  readonly envelopes: Envelope[] = []
  readonly replies: (OperationReply | OpeningReply)[] = []
  readonly leaves: Digest[] = []
  readonly #ports: BlockExecutionPorts
  readonly #surroundings: OperationSurroundings
  readonly #height: number
  #encoded: readonly Uint8Array[] = []
  #nextEnvelope = 0
  #operations = 0
  #extraReplies = 0
  #inProgress: EnvelopeInProgress | null = null
  #awaited: Awaited | null = null

  constructor(ports: BlockExecutionPorts, block: Block, blockDigest: Digest, timestamp: number) {
    this.#ports = ports
    this.#height = block.header.height
    this.#surroundings = { height: this.#height, timestamp, blockDigest, hasher: ports.hasher }
    const payload = decode(payloadEnvelopesCodec, block.payload)
    if (payload.ok) this.#encoded = payload.value
    else this.#refuseBytes(block.payload, 'MalformedPayload')
  }

  /** The next operation to apply; null when the block is done. Not to be called while one is awaited. */
  next(): PendingOperation | null {
    if (this.#awaited !== null) throw new Error('the operation before is still awaited')
    for (;;) {
      const inProgress = this.#inProgress
      if (inProgress !== null) {
        const pending = this.#nextOperation(inProgress)
        if (pending !== null) return pending
        this.#inProgress = null
      }
      if (this.#nextEnvelope === this.#encoded.length) return null
      this.#beginEnvelope(this.#encoded[this.#nextEnvelope++]!)
    }
  }

  /** How the awaited operation came out. */
  applied(outcome: ApplyOutcome): void {
    const awaited = this.#awaited
    if (awaited === null) throw new Error('no operation is awaited')
    if (outcome.kind === 'result' && outcome.result.length > resultBytesMax) {
      throw new RangeError(`a result of ${outcome.result.length} bytes, at most ${resultBytesMax}`)
    }
    this.#awaited = null
    this.#consume(awaited, outcome.kind === 'result' ? executed(outcome.result) : operationFailed)
  }

  #beginEnvelope(encoded: Uint8Array): void {
    const decoded = decode(envelopeCodec, encoded)
    if (!decoded.ok) return this.#refuseBytes(encoded, 'MalformedEnvelope')
    const envelope = decoded.value
    // Whoever has it waiting has to learn that it is over, whatever is wrong with it.
    this.envelopes.push(envelope)
    if (!isSensible(envelope)) return this.#refuseBytes(encoded, 'MalformedEnvelope')
    if (this.#operations + operationCount(envelope) > blockOperationsMax) {
      if (envelope.kind === 'read') return
      return this.#refuseEnvelope(envelope, encoded, 'BlockOverLimit')
    }
    this.#operations += operationCount(envelope)
    // Reads change nothing and are agreed on in nothing but their place: whoever was asked answers when the block is done.
    if (envelope.kind === 'read') return
    if (envelope.kind === 'open') return this.#open(envelope, encoded)
    const session = this.#ports.sessions.find(envelope.session)
    if (session === undefined) return this.#refuseEnvelope(envelope, encoded, 'SessionExpired')
    if (!equalBytes(session.client, envelope.client)) return this.#refuseEnvelope(envelope, encoded, 'WrongClient')
    if (envelope.kind === 'close') return this.#close(envelope, session, encoded)
    if (envelope.firstNumber > session.lastNumber + 1) return this.#refuseEnvelope(envelope, encoded, 'OutOfOrder')
    if (envelope.kind === 'cancel') return this.#cancel(envelope, session, encoded)
    this.#ports.sessions.acknowledge(session, envelope.acknowledgedNumber)
    const { firstNumber, operations } = envelope
    this.#inProgress = { session, firstNumber, operations, next: 0 }
  }

  /** Goes through the envelope up to an operation that was not executed before. */
  #nextOperation(inProgress: EnvelopeInProgress): PendingOperation | null {
    const { session, operations } = inProgress
    while (inProgress.next < operations.length) {
      const operation = operations[inProgress.next]!
      const number = inProgress.firstNumber + inProgress.next++
      const digest = this.#ports.results.operationDigest(operation)
      if (number <= session.lastNumber) {
        this.#repeat(session, number, digest)
      } else if (this.#ports.validate(operation) !== null) {
        this.#consume({ session, number, digest }, refusal('InvalidCommand'))
      } else {
        this.#awaited = { session, number, digest }
        const context = new OperationContext(this.#surroundings, this.leaves.length, session.client)
        return { kind: 'apply', operation, context }
      }
    }
    return null
  }

  /** The number stands for this from now on. */
  #consume({ session, number, digest }: Awaited, outcome: Uint8Array): void {
    const index = this.#leaf(session.client, session.id, number, 1, digest, outcome)
    this.#ports.sessions.consume(session, {
      firstNumber: number,
      count: 1,
      digest,
      height: this.#height,
      index,
      outcome,
    })
    this.#reply(session, session.id, number, index, outcome)
  }

  /** The number is consumed: what is known of it goes out again. */
  #repeat(session: Session, number: number, digest: Digest): void {
    const stored = storedReply(session, number)
    const code =
      stored === null
        ? 'ReplyEvicted'
        : stored.digest !== null && !equalBytes(stored.digest, digest)
          ? 'SequenceReused'
          : null
    if (code === null) return this.#replyStored(session, number)
    const outcome = refusal(code)
    const index = this.#leaf(session.client, session.id, number, 1, digest, outcome)
    this.#reply(session, session.id, number, index, outcome)
  }

  #replyStored(session: Session, number: number): void {
    if (++this.#extraReplies > blockExtraRepliesMax) return
    const { height, index, outcome } = storedReply(session, number)!
    const { id, client } = session
    this.replies.push({ kind: 'operation', client, session: id, number, height, index, fresh: false, outcome })
  }

  #open(envelope: OpenEnvelope, encoded: Uint8Array): void {
    const { client, nonce, referenceHeight } = envelope
    const { sessions, results } = this.#ports
    const opening = sessions.open(client, nonce, referenceHeight, this.#height, this.leaves.length)
    if (opening.kind === 'refused') return this.#refuseEnvelope(envelope, encoded, opening.code)
    const { id } = opening.session
    const outcome = encodeOutcome({ kind: 'opened', session: id })
    if (opening.kind === 'opened') this.#leaf(client, id, 0, 0, results.envelopeDigest(encoded), outcome)
    // The id is the height and index of the opening: a copy is answered as the first one was.
    this.replies.push({ kind: 'opening', client, nonce, height: id.height, index: id.index, outcome })
  }

  #cancel(envelope: CancelEnvelope, session: Session, encoded: Uint8Array): void {
    const { firstNumber, count } = envelope
    const { lastNumber } = session
    const digest = this.#ports.results.envelopeDigest(encoded)
    const end = firstNumber + count
    // Replies are kept without gaps up to the last number, so what is forgotten comes first.
    const keptFrom = Math.min(Math.max(session.replies[0]?.firstNumber ?? lastNumber + 1, firstNumber), end)
    const freshFrom = Math.min(Math.max(lastNumber + 1, firstNumber), end)
    if (keptFrom > firstNumber) {
      const outcome = refusal('ReplyEvicted')
      const evicted = keptFrom - firstNumber
      const index = this.#leaf(session.client, session.id, firstNumber, evicted, digest, outcome)
      this.#reply(session, session.id, firstNumber, index, outcome)
    }
    for (let number = keptFrom; number < freshFrom; number++) this.#replyStored(session, number)
    if (freshFrom < end) this.#consumeByCancel(session, freshFrom, end - freshFrom, digest)
  }

  #consumeByCancel(session: Session, firstNumber: number, count: number, digest: Digest): void {
    const index = this.#leaf(session.client, session.id, firstNumber, count, digest, cancelled)
    const reply = { firstNumber, count, digest: null, height: this.#height, index, outcome: cancelled }
    this.#ports.sessions.consume(session, reply)
    for (let number = firstNumber; number < firstNumber + count; number++) {
      if (++this.#extraReplies <= blockExtraRepliesMax) this.#reply(session, session.id, number, index, cancelled)
    }
  }

  #close(envelope: CloseEnvelope, session: Session, encoded: Uint8Array): void {
    const digest = this.#ports.results.envelopeDigest(encoded)
    const index = this.#leaf(envelope.client, session.id, 0, 0, digest, closed)
    this.#ports.sessions.close(session)
    this.#reply(session, session.id, 0, index, closed)
  }

  /** Bytes that name no client: a leaf, and nobody to answer. */
  #refuseBytes(bytes: Uint8Array, code: RefusalCode): void {
    this.#leaf(noClient, noSession, 0, 0, this.#ports.results.envelopeDigest(bytes), refusal(code))
  }

  #refuseEnvelope(envelope: Exclude<Envelope, ReadEnvelope>, encoded: Uint8Array, code: RefusalCode): void {
    const outcome = refusal(code)
    const digest = this.#ports.results.envelopeDigest(encoded)
    const { client } = envelope
    if (envelope.kind === 'open') {
      const index = this.#leaf(client, noSession, 0, 0, digest, outcome)
      this.replies.push({ kind: 'opening', client, nonce: envelope.nonce, height: this.#height, index, outcome })
      return
    }
    const [number, count] = numbersOf(envelope)
    this.#reply(
      envelope,
      envelope.session,
      number,
      this.#leaf(client, envelope.session, number, count, digest, outcome),
      outcome,
    )
  }

  #leaf(
    client: PublicKey,
    session: SessionId,
    number: number,
    count: number,
    digest: Digest,
    outcome: Uint8Array,
  ): number {
    const index = this.leaves.length
    const leaf = { client, session, number, count, digest, height: this.#height, index, outcome }
    this.leaves.push(this.#ports.results.leafDigest(leaf))
    return index
  }

  /** To whom it is said: whoever asked, though the session may be another's. */
  #reply(
    { client }: { readonly client: PublicKey },
    session: SessionId,
    number: number,
    index: number,
    outcome: Uint8Array,
  ): void {
    const height = this.#height
    this.replies.push({ kind: 'operation', client, session, number, height, index, fresh: true, outcome })
  }
}
