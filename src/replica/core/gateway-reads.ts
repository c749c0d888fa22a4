/**
 * Queries of clients on their way through one replica. A linearizable one waits until the protocol has said which height it must see,
 * and is answered at the very moment at which that height has been executed: replicas that were asked at one moment then answer from
 * one state. An ordered one is answered when its block has been executed, from the state that the block has left.
 */

import type { Executor } from '../../execution/executor.ts'
import type { ClientRequest, ClientResponse, ReadAnswer, RefusalReason } from '../../kernel/client-messages.ts'
import type { ReadEnvelope } from '../../kernel/envelope.ts'
import type { Height } from '../../kernel/ids.ts'
import type { Now } from '../../kernel/protocol.ts'
import { latin1 } from '../../wire/latin1.ts'
import { LateReads } from './late-reads.ts'

/** As the gateway knows it. */
type ConnectionId = number

export interface GatewayReadsOptions {
  executor: Executor
  readsMax: number
  readBytesMax: number
  /** Answers in one message: no more are gathered, and a larger one goes alone. */
  responseBytesMax: number
  /** Asks the protocol from which height on a read may be answered. */
  read: (id: number, now: Now) => void
  respond: (connection: ConnectionId, response: ClientResponse) => void
  /** May so many bytes, by this name, go to it once more in this turn? */
  mayRepeat: (connection: ConnectionId, name: string, bytes: number) => boolean
}

type Question = Extract<ClientRequest, { kind: 'query' | 'reads' }>

interface WaitingRead {
  connection: ConnectionId
  question: Question
  /** Null until the protocol has said which height it must see. */
  stated: Height | null
}

export class GatewayReads {
  readonly #options: GatewayReadsOptions
  readonly #waiting = new Map<number, WaitingRead>()
  /** Queries in what waits. */
  #queries = 0
  #bytes = 0
  #nextId = 1
  readonly #late = new LateReads()

  constructor(options: GatewayReadsOptions) {
    this.#options = options
  }

  ask(connection: ConnectionId, question: Question, now: Now): void {
    if (question.kind === 'query' && question.consistency === 'local') return this.#answerQuery(connection, question)
    const { readsMax, readBytesMax } = this.#options
    if (this.#queries + queriesIn(question) > readsMax || this.#bytes + bytesIn(question) > readBytesMax) {
      return this.#unanswered(connection, question, 'overloaded', null)
    }
    const id = this.#nextId++
    this.#waiting.set(id, { connection, question, stated: null })
    this.#queries += queriesIn(question)
    this.#bytes += bytesIn(question)
    this.#options.read(id, now)
  }

  ready(id: number, height: Height): void {
    const read = this.#waiting.get(id)
    if (read === undefined) return
    read.stated = height
    this.#answerIfExecuted(id, read)
    const { question } = read
    if (!this.#waiting.has(id) || question.kind !== 'reads' || !question.statesFirst) return
    this.#answers(read.connection, question.nonce, height, this.#options.executor.height, [])
  }

  failed(id: number, reason: RefusalReason, leader: Extract<ClientResponse, { kind: 'unanswered' }>['leader']): void {
    const read = this.#waiting.get(id)
    if (read === undefined) return
    this.#forget(id, read)
    this.#unanswered(read.connection, read.question, reason, leader)
  }

  /** The state has moved on. */
  executed(): void {
    for (const [id, read] of this.#waiting) this.#answerIfExecuted(id, read)
  }

  /** Its block has just been executed, and nothing after it. Null: nobody has asked for it here yet, and may in a moment. */
  ordered(connection: ConnectionId | null, { client, nonce, queries }: ReadEnvelope): void {
    const { height } = this.#options.executor
    const reads = queries.map((query, id) => ({ id, query }))
    const kept = this.#late.keep(nameOf(client, nonce), height, this.#answersTo(reads))
    if (connection === null) return
    if (kept !== null) this.#answerAll(connection, nonce, kept.height, kept.height, kept.answers)
    // Worked out once more, as far as that was too much to keep: part after part, it need not be held together.
    else this.#answerAll(connection, nonce, height, height, this.#answersTo(reads))
  }

  /** It was executed before: it is answered from the state that its block had left. What is forgotten, its client asks for anew. */
  late(connection: ConnectionId, { client, nonce }: ReadEnvelope): void {
    const name = nameOf(client, nonce)
    const kept = this.#late.find(name)
    if (kept === null || !this.#options.mayRepeat(connection, name, kept.bytes)) return
    this.#answerAll(connection, nonce, kept.height, kept.height, kept.answers)
  }

  closed(connection: ConnectionId): void {
    for (const [id, read] of this.#waiting) if (read.connection === connection) this.#forget(id, read)
  }

  #answerIfExecuted(id: number, read: WaitingRead): void {
    const { connection, question, stated } = read
    if (stated === null || this.#options.executor.height < stated) return
    this.#forget(id, read)
    if (question.kind === 'query') this.#answerQuery(connection, question)
    else {
      const { height } = this.#options.executor
      this.#answerAll(connection, question.nonce, stated, height, this.#answersTo(question.reads))
    }
  }

  #answerQuery(connection: ConnectionId, { id, query }: Extract<Question, { kind: 'query' }>): void {
    const { executor, respond } = this.#options
    respond(connection, { kind: 'answer', id, height: executor.height, answer: executor.query(query) })
  }

  *#answersTo(reads: Iterable<{ id: number; query: Uint8Array }>): Generator<ReadAnswer> {
    for (const { id, query } of reads) yield { id, answer: this.#options.executor.query(query) }
  }

  #answerAll(
    connection: ConnectionId,
    nonce: Uint8Array,
    stated: Height,
    height: Height,
    answers: Iterable<ReadAnswer>,
  ): void {
    let part: ReadAnswer[] = []
    let bytes = 0
    for (const one of answers) {
      if (part.length > 0 && bytes + one.answer.length > this.#options.responseBytesMax) {
        this.#answers(connection, nonce, stated, height, part)
        part = []
        bytes = 0
      }
      part.push(one)
      bytes += one.answer.length
    }
    if (part.length > 0) this.#answers(connection, nonce, stated, height, part)
  }

  #answers(connection: ConnectionId, nonce: Uint8Array, stated: Height, height: Height, answers: ReadAnswer[]): void {
    this.#options.respond(connection, { kind: 'answers', nonce, stated, height, answers })
  }

  #unanswered(
    connection: ConnectionId,
    question: Question,
    reason: RefusalReason,
    leader: Extract<ClientResponse, { kind: 'unanswered' }>['leader'],
  ): void {
    const { respond } = this.#options
    if (question.kind === 'query') respond(connection, { kind: 'unanswered', id: question.id, reason, leader })
    else respond(connection, { kind: 'reads-unanswered', nonce: question.nonce, reason, leader })
  }

  #forget(id: number, { question }: WaitingRead): void {
    this.#waiting.delete(id)
    this.#queries -= queriesIn(question)
    this.#bytes -= bytesIn(question)
  }
}

/** A question without queries counts too: it waits like the others. */
function queriesIn(question: Question): number {
  return question.kind === 'query' ? 1 : Math.max(1, question.reads.length)
}

function bytesIn(question: Question): number {
  if (question.kind === 'query') return question.query.length
  return question.reads.reduce((bytes, { query }) => bytes + query.length, 0)
}

function nameOf(client: Uint8Array, nonce: Uint8Array): string {
  return latin1(client) + latin1(nonce)
}
