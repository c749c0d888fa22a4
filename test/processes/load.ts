// Clients of a real network that write down what they see: the history that the checkers judge. Times are of this process's
// monotonic clock, so an operation that completed before another was invoked stands before it.

import { createClient, type Client } from '../../src/client/node.ts'
import type { StoreCommand, StoreQuery } from '../../src/execution/store/commands.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import type { StoreResult } from '../../src/execution/store/results.ts'
import type { ReadNetwork } from '../../src/kernel/network-file.ts'
import { QuorateError } from '../../src/kernel/quorate-error.ts'
import { commandOf, historyResultOf } from '../../src/simulator/store-language.ts'
import { createRandom, type Random } from '../../src/kernel/random.ts'
import { HistoryRecorder, type History, type Outcome } from '../../src/simulator/checkers/history.ts'
import {
  keyValueModel,
  type HistoryOperation,
  type HistoryResult,
} from '../../src/simulator/checkers/key-value-model.ts'
import { checkLinearizability } from '../../src/simulator/checkers/linearizability-checker.ts'

export interface LoadOptions {
  network: ReadNetwork
  /** One client for each secret key. */
  secretKeys: readonly Uint8Array[]
  /** Operations that each client has under way. */
  loopsPerClient: number
  /** Keys that all share: few, so that operations meet. */
  keys: number
  seed: string
  /** Between an answer and the next operation. */
  pauseMs: number
  operationsMax: number
  deadlineMs: number
  /** Makes the client of a key. Default: the one that applications use. */
  clientOf?: (secretKey: Uint8Array) => StoreClient
}

export type StoreClient = Client<StoreCommand, StoreQuery, StoreResult>

export class Load {
  readonly recorder: HistoryRecorder
  readonly clients: StoreClient[]
  readonly #options: LoadOptions
  readonly #random: Random
  readonly #loops: Promise<void>[] = []
  #running = true
  #nextId = 1
  #nextValue = 1
  /** Operations that were answered, and those of which nobody knows. */
  completed = 0
  unknown = 0
  readonly problems: string[] = []
  /** When something was last answered, and when that was invoked: both in ms of the monotonic clock. */
  lastAnswer = { invokedMs: 0, completedMs: 0 }

  constructor(options: LoadOptions) {
    this.#options = options
    this.#random = createRandom(options.seed)
    this.recorder = new HistoryRecorder({ operationsMax: options.operationsMax })
    const { network, secretKeys } = options
    const usual = (secretKey: Uint8Array): StoreClient =>
      createClient({ network, key: { secretKey }, stateMachine: keyValueStore })
    this.clients = secretKeys.map(options.clientOf ?? usual)
  }

  start(): void {
    for (const [number, client] of this.clients.entries()) {
      for (let loop = 0; loop < this.#options.loopsPerClient; loop++) this.#loops.push(this.#loop(number, client))
    }
  }

  /** Waits for what is under way, and closes the clients. */
  async stop(): Promise<void> {
    this.#running = false
    await Promise.all(this.#loops)
    await Promise.all(this.clients.map((client) => client.close()))
  }

  /** Closes the clients at once: what is under way fails, and is counted nowhere. */
  async abandon(): Promise<void> {
    this.#running = false
    await Promise.all(this.clients.map((client) => client.close()))
    await Promise.all(this.#loops)
  }

  /** Resolves when an operation that was invoked after this call has been answered, with how long that took. */
  async served(deadlineMs: number): Promise<number> {
    const sinceMs = performance.now()
    while (this.lastAnswer.invokedMs <= sinceMs) {
      if (performance.now() - sinceMs > deadlineMs) throw new Error(`nothing was answered for ${deadlineMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return this.lastAnswer.completedMs - sinceMs
  }

  async #loop(number: number, client: StoreClient): Promise<void> {
    while (this.#running) {
      if (!(await this.#once(number, client))) return
      await new Promise((resolve) => setTimeout(resolve, this.#random.below(2 * this.#options.pauseMs + 1)))
    }
  }

  async #once(number: number, client: StoreClient): Promise<boolean> {
    const operation = this.#draw()
    const id = this.#nextId++
    const invokedMs = performance.now()
    if (!this.recorder.invoke(number, id, operation, invokedMs * 1000)) return false
    const outcome = await this.#run(client, operation)
    const completedMs = performance.now()
    // What is not known stays open for ever: it may happen at any later time.
    if (outcome.kind === 'unknown') this.unknown++
    else this.recorder.complete(number, id, outcome, completedMs * 1000)
    if (outcome.kind !== 'ok') return true
    this.completed++
    this.lastAnswer = { invokedMs, completedMs }
    return true
  }

  async #run(client: StoreClient, operation: HistoryOperation): Promise<Outcome<HistoryResult>> {
    const { deadlineMs } = this.#options
    try {
      if (operation.kind === 'get' && this.#random.chance(1, 2)) {
        const { result, height } = await client.query({ kind: 'get', key: bytesOf(operation.key) }, { deadlineMs })
        return { kind: 'ok', result: historyResultOf(result), position: { kind: 'observed', height } }
      }
      const { result, height, index } = await client.submit(commandOf(operation), { deadlineMs })
      return { kind: 'ok', result: historyResultOf(result), position: { kind: 'ordered', height, index } }
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error
      if (this.problems.length < 100) this.problems.push(`${operation.kind}: ${error.code} ${error.message}`)
      return { kind: error.certainty === 'definite' ? 'failed-definitely' : 'unknown' }
    }
  }

  #draw(): HistoryOperation {
    const random = this.#random
    const key = `key-${random.below(this.#options.keys)}`
    const value = String(this.#nextValue++)
    const kind = random.pick(['put', 'put', 'get', 'get', 'compareAndSwap', 'increment', 'delete'] as const)
    switch (kind) {
      case 'put':
        return { kind, key, value }
      case 'compareAndSwap':
        return {
          kind,
          key,
          expected: random.chance(1, 3) ? null : String(this.#nextValue - 1 - random.below(8)),
          value,
        }
      default:
        return { kind, key }
    }
  }
}

/** Null, or what is wrong with the history. */
export function judge(history: History): string | null {
  const positions = positionsOf(history)
  if (positions !== null) return positions
  const verdict = checkLinearizability({ model: keyValueModel, history, stepsMax: 20_000_000 })
  if (verdict.kind === 'violation') return verdict.violation.explanation
  return verdict.kind === 'undecided' ? 'the search for an order gave up' : null
}

/** No two operations at one place, and none that completed before another was invoked stands behind it. */
function positionsOf({ operations }: History): string | null {
  const taken = new Map<string, number>()
  const events: { event: number; height: number; index: number; completed: boolean; id: number }[] = []
  for (const { id, outcome, invokedEvent, completedEvent } of operations) {
    if (outcome.kind !== 'ok' || outcome.position?.kind !== 'ordered' || completedEvent === null) continue
    const { height, index } = outcome.position
    const place = `${height}.${index}`
    const other = taken.get(place)
    if (other !== undefined) return `operations ${other} and ${id} were both told that they stand at ${place}`
    taken.set(place, id)
    events.push({ event: invokedEvent, height, index, completed: false, id })
    events.push({ event: completedEvent, height, index, completed: true, id })
  }
  events.sort((left, right) => left.event - right.event)
  let newest = { height: 0, index: -1, id: 0 }
  const before = new Map<number, typeof newest>()
  for (const { height, index, completed, id } of events) {
    if (!completed) {
      before.set(id, newest)
      continue
    }
    const floor = before.get(id)!
    if (height < floor.height || (height === floor.height && index < floor.index)) {
      return `operation ${id} stands at ${height}.${index}, before ${floor.id}, which had completed at ${floor.height}.${floor.index}`
    }
    if (height > newest.height || (height === newest.height && index > newest.index)) newest = { height, index, id }
  }
  return null
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
