/**
 * All reads of one client. `local` ones, and all where replicas do not lie, are one replica's answer. Linearizable ones where replicas
 * may lie are asked of all, twice at most; where no answer can be believed in time, they are ordered. A liar, or one that withholds
 * commits from others (arXiv 2107.11144), can bring about the latter and no more.
 */

import { decode, encode } from '../../wire/codec.ts'
import { clientRequestCodec, type ClientResponse, type Consistency } from '../../kernel/client-messages.ts'
import { readQueriesMax } from '../../kernel/envelope.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { envelopeBytesMax } from '../../kernel/limits.ts'
import { outcomeCodec } from '../../kernel/outcome.ts'
import { fail, settle, type ClientFailure, type ClientOperation, type Settle } from './operation.ts'
import { OrderedReads } from './ordered-reads.ts'
import { HeldBytes, ReadAgreement } from './read-agreement.ts'
import { Question, Read, Reads, type ReadRule } from './reads.ts'
import type { Attempts, RetryTimes } from './retry.ts'
import type { SessionOptions } from './session.ts'
import { latin1 } from '../../wire/latin1.ts'

/** Questions of one read whose late answers are still taken. */
export const earlierQuestionsMax = 16

/** Answers that are held until enough say the same, all reads together. Beyond it, a read is ordered. */
const answerBytesHeldMax = 16 * 1024 * 1024

export interface FastReadLimits {
  /** A fast read that did not come together after so long is asked once more, or ordered. */
  fastReadMs: number
  fastReadAttemptsMax: number
  /** Once a quorum has answered: how much longer than that took, and this, the others are waited for. */
  fastReadSlackMs: number
}

export const fastReadLimitsDefault: FastReadLimits = { fastReadMs: 250, fastReadAttemptsMax: 2, fastReadSlackMs: 5 }

export interface ClientReadsOptions extends SessionOptions {
  rule: ReadRule
  limits: FastReadLimits
  nonce: () => Uint8Array
  /** Whose answers count, as far as they are there. */
  connected: ReadonlySet<ReplicaId>
  times: RetryTimes
  target: () => ReplicaId | null
  /** It went to somebody who was silent. */
  leaveSilent: (item: Attempts) => void
  send: (to: ReplicaId, request: Uint8Array) => void
  /** To whoever orders. */
  submit: (envelopes: readonly Uint8Array[]) => void
  /** This height is believed. */
  learnHeight: (height: Height) => void
  note: (event: string, detail: string) => void
}

export class ClientReads {
  readonly #options: ClientReadsOptions
  readonly #reads = new Reads()
  /** By their names. An object and not a Map, for what docs/performance.md says of maps that churn. */
  #questions: Record<string, Question | undefined> = noQuestions()
  readonly #ordered: OrderedReads
  readonly #held = new HeldBytes(answerBytesHeldMax)

  constructor(options: ClientReadsOptions) {
    this.#options = options
    this.#ordered = new OrderedReads(options, options.nonce)
  }

  create(id: number, query: Uint8Array, settled: Settle, consistency: Consistency): Read {
    return new Read(id, query, settled, consistency, consistency === 'local' ? 'one' : this.#options.rule.kind)
  }

  add(read: Read): void {
    this.#reads.add(read)
  }

  /** True if it was a read under way. */
  abandon(operation: ClientOperation): boolean {
    if (!(operation instanceof Read) || operation.isOver) return false
    this.#remove(operation)
    return true
  }

  failAll(failure: ClientFailure): void {
    this.#questions = noQuestions()
    this.#ordered.clear()
    this.#reads.failAll(failure)
  }

  /** What is due at some time. */
  *underWay(): Generator<Attempts> {
    for (const read of this.#reads.all()) if (isWaiting(read)) yield read
    yield* this.#ordered.flights
  }

  /** When something is due at the earliest. */
  get dueMs(): number {
    let due = Infinity
    // A plain loop: it goes over all that is under way once a turn.
    for (const read of this.#reads.all()) if (read.dueMs < due && isWaiting(read)) due = read.dueMs
    for (const flight of this.#ordered.flights) due = Math.min(due, flight.dueMs)
    return due
  }

  /** Envelopes that replicas which have just come do not have. */
  *envelopes(): Generator<Uint8Array> {
    for (const flight of this.#ordered.flights) if (flight.attempts > 0) yield flight.encoded
  }

  endTurn(nowMs: number): void {
    const due = this.#reads.all().filter((read) => read.dueMs <= nowMs && isWaiting(read))
    const ofOne = due.filter((read) => read.way === 'one')
    for (const read of ofOne) this.#options.leaveSilent(read)
    const target = this.#options.target()
    for (const read of ofOne) {
      this.#leave(read)
      this.#options.times.sent(read, target, nowMs)
    }
    if (target !== null) this.#askOne(target, ofOne, nowMs)
    const fast = due.filter((read) => this.#mayBeFast(read))
    const others = due.filter((read) => read.way !== 'one' && !this.#mayBeFast(read))
    this.#askAll(fast, nowMs)
    this.#order(others, nowMs)
  }

  answer({ id, height, answer }: Extract<ClientResponse, { kind: 'answer' }>): void {
    const read = this.#reads.find(id)
    if (read === undefined || read.way !== 'one') return
    this.#settle(read, height, answer)
  }

  unanswered(from: ReplicaId, id: number, nowMs: number): void {
    const read = this.#reads.find(id)
    if (read?.way === 'one' && read.target === from) this.#options.times.postpone(read, nowMs)
  }

  answers(from: ReplicaId, response: Extract<ClientResponse, { kind: 'answers' }>, nowMs: number): void {
    const { stated, height, answers } = response
    const name = latin1(response.nonce)
    const question = this.#questions[name]
    if (question === undefined) return this.#lateAnswers(name, from, response)
    if (!question.stated.has(from)) question.stated.set(from, stated)
    for (const { id, answer } of answers) {
      const read = this.#reads.find(id)
      if (read?.question !== question) continue
      if (read.way === 'one') this.#settle(read, height, answer)
      else read.agreement!.add(from, height, answer)
    }
    this.#judge(question, nowMs)
  }

  questionUnanswered(from: ReplicaId, nonce: Uint8Array, nowMs: number): void {
    const question = this.#questions[latin1(nonce)]
    if (question === undefined) return
    question.refusedBy.add(from)
    for (const read of question.reads) {
      if (read.question === question && read.way === 'one' && read.target === from)
        this.#options.times.postpone(read, nowMs)
    }
    this.#judge(question, nowMs)
  }

  /** Who can be believed, is; and who waits for nobody any more, waits no longer. */
  #judge(question: Question, nowMs: number): void {
    const { rule, connected, limits } = this.#options
    if (rule.kind !== 'quorum') return
    for (const read of question.reads) {
      const { agreement } = read
      if (read.question !== question || agreement === null) continue
      const agreed = agreement.agreed(question.stated)
      if (agreed?.answer != null) {
        this.#settle(read, agreed.height, agreed.answer)
        continue
      }
      let finished = 0
      for (const replica of connected) {
        if (agreement.hasAnswered(replica) || question.refusedBy.has(replica)) finished++
      }
      if (finished === connected.size) read.dueMs = Math.min(read.dueMs, nowMs)
      else if (finished >= rule.quorum) {
        read.dueMs = Math.min(read.dueMs, nowMs + (nowMs - question.sentMs) + limits.fastReadSlackMs)
      }
    }
  }

  /**
   * To no question that stands: of an ordered read; or to an earlier one of the same read, which is good enough where one replica is believed.
   * Numbers begin anew with each client, so that an answer to a question of somebody else would fit by its number alone.
   */
  #lateAnswers(name: string, from: ReplicaId, response: Extract<ClientResponse, { kind: 'answers' }>): void {
    const { height, answers } = response
    for (const { id, answer } of answers) {
      const ordered = this.#ordered.reply(name, from, id, height, answer)
      if (ordered !== null) this.#settle(ordered, height, answer)
      else if (this.#reads.find(id)?.earlier.includes(name) === true)
        this.answer({ kind: 'answer', id, height, answer })
    }
  }

  #settle(read: Read, height: Height, answer: Uint8Array): void {
    const outcome = decode(outcomeCodec, answer)
    if (!outcome.ok) return this.#options.note('malformed-outcome', `read ${read.id}`)
    this.#remove(read)
    if (read.way !== 'one' || this.#options.repliesNeeded === 1) this.#options.learnHeight(height)
    if (outcome.value.kind === 'executed') {
      return settle(read, { ok: true, result: outcome.value.result, height, index: 0 })
    }
    const message = 'the state machine refuses the query: correct it'
    fail(read, { code: 'ERR_INVALID_QUERY', certainty: 'definite', message })
  }

  /** Where too few are there, or it was asked in vain, it is not asked again. */
  #mayBeFast(read: Read): boolean {
    const { rule, connected, limits } = this.#options
    return (
      rule.kind === 'quorum' &&
      read.way === 'quorum' &&
      connected.size >= rule.quorum &&
      read.attempts < limits.fastReadAttemptsMax
    )
  }

  #askOne(target: ReplicaId, reads: readonly Read[], nowMs: number): void {
    for (const read of reads) {
      if (read.consistency === 'linearizable') continue
      const { id, query } = read
      this.#options.send(target, encode(clientRequestCodec, { kind: 'query', id, consistency: 'local', query }))
    }
    this.#ask(
      [target],
      reads.filter((read) => read.consistency === 'linearizable'),
      nowMs,
    )
  }

  #askAll(reads: readonly Read[], nowMs: number): void {
    const { rule, repliesNeeded, hasher, connected, limits, times } = this.#options
    if (reads.length === 0 || rule.kind !== 'quorum') return
    const { quorum } = rule
    for (const read of reads) {
      times.sent(read, null, nowMs)
      read.dueMs = nowMs + limits.fastReadMs
      this.#leave(read)
      read.agreement = new ReadAgreement({ quorum, oneCorrect: repliesNeeded, hasher: hasher!, held: this.#held })
    }
    this.#ask([...connected], reads, nowMs)
  }

  /** As few messages as hold them. */
  #ask(to: readonly ReplicaId[], reads: readonly Read[], nowMs: number): void {
    let first = 0
    let bytes = 0
    for (const [index, read] of reads.entries()) {
      const full = index - first === readQueriesMax || bytes + read.bytes > envelopeBytesMax
      if (index > first && full) {
        this.#send(to, reads.slice(first, index), nowMs)
        first = index
        bytes = 0
      }
      bytes += read.bytes
    }
    if (first < reads.length) this.#send(to, reads.slice(first), nowMs)
  }

  #send(to: readonly ReplicaId[], reads: Read[], nowMs: number): void {
    const nonce = this.#options.nonce()
    const question = new Question(latin1(nonce), reads, nowMs)
    this.#questions[question.name] = question
    for (const read of reads) read.question = question
    const statesFirst = reads[0]!.way === 'quorum'
    const request = encode(clientRequestCodec, { kind: 'reads', nonce, statesFirst, reads })
    for (const replica of to) this.#options.send(replica, request)
  }

  /** What fell back goes out with what was ordered before and is not answered. */
  #order(reads: readonly Read[], nowMs: number): void {
    const { times, target, submit, leaveSilent, note, rule } = this.#options
    for (const read of reads) {
      this.#leave(read)
      read.way = 'ordered'
    }
    if (reads.length > 0) {
      this.#ordered.launch(reads)
      if (rule.kind === 'quorum') note('reads-ordered', `${reads.length}`)
    }
    const due = [...this.#ordered.flights].filter((flight) => flight.dueMs <= nowMs)
    for (const flight of due) {
      leaveSilent(flight)
      this.#ordered.leaves(flight)
    }
    for (const flight of due) times.sent(flight, target(), nowMs)
    if (due.length > 0) submit(due.map((flight) => flight.encoded))
  }

  #remove(read: Read): void {
    this.#quit(read)
    this.#ordered.remove(read)
    this.#reads.remove(read)
  }

  /** The question in which it left last is not its any more, and it leaves once more. */
  #leave(read: Read): void {
    const question = this.#quit(read)
    if (question !== null) read.earlier = [...read.earlier, question.name].slice(-earlierQuestionsMax)
  }

  #quit(read: Read): Question | null {
    const { question } = read
    read.agreement?.release()
    read.agreement = null
    read.question = null
    if (question !== null && --question.open === 0) delete this.#questions[question.name]
    return question
  }
}

/** For its own turn to come, and not with others in an envelope. */
function isWaiting(read: Read): boolean {
  return !read.isOver && read.flight === null
}

/** Without a prototype: replicas say the names. */
function noQuestions(): Record<string, Question | undefined> {
  return Object.create(null) as Record<string, Question | undefined>
}
