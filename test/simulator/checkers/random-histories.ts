// Histories made from a linear execution: each operation takes effect at one point of time, and its client sees it
// begin before and end after. They are linearizable by construction, whatever overlaps.

import type { History, TimedOperation } from '../../../src/simulator/checkers/history.ts'
import { historyOf } from '../../../src/simulator/checkers/history.ts'
import { keyValueModel, type HistoryOperation } from '../../../src/simulator/checkers/key-value-model.ts'
import type { DecidedOperation } from '../../../src/simulator/checkers/placement.ts'
import { get, increment, put, remove, swap } from './entries.ts'

export type Fate = 'seen' | 'unknown-executed' | 'unknown-lost' | 'failed'

export interface Effect {
  readonly operation: HistoryOperation
  readonly pointUs: number
  readonly beforeUs: number
  readonly afterUs: number
  readonly fate: Fate
  /** Reads are answered from the state after a block instead of through the log. */
  readonly observed: boolean
  readonly endsBlock: boolean
}

export interface LinearExecution {
  readonly timed: readonly TimedOperation[]
  readonly history: History
  readonly decided: readonly DecidedOperation[]
}

/** Each operation has a client of its own. */
export function execute(effects: readonly Effect[]): LinearExecution {
  const inOrder = [...effects].sort((a, b) => a.pointUs - b.pointUs)
  const states = new Map<string, string | null>()
  const timed: TimedOperation[] = []
  const decided: DecidedOperation[] = []
  let height = 1
  let index = 0
  for (const [client, effect] of inOrder.entries()) {
    const { operation, fate } = effect
    const invokedAtUs = effect.pointUs - effect.beforeUs
    const completedAtUs = fate.startsWith('unknown') ? null : effect.pointUs + effect.afterUs
    const common = { client, id: 1, invokedAtUs, completedAtUs, operation }
    if (fate === 'failed' || fate === 'unknown-lost') {
      timed.push({ ...common, outcome: { kind: fate === 'failed' ? 'failed-definitely' : 'unknown' } })
      continue
    }
    const { state, result } = keyValueModel.step(states.get(operation.key) ?? null, operation)
    states.set(operation.key, state)
    if (effect.observed && operation.kind === 'get') {
      if (index > 0) [height, index] = [height + 1, 0]
      const position = { kind: 'observed' as const, height: height - 1 }
      timed.push({ ...common, outcome: fate === 'seen' ? { kind: 'ok', result, position } : { kind: 'unknown' } })
      continue
    }
    const position = { kind: 'ordered' as const, height, index }
    timed.push({ ...common, outcome: fate === 'seen' ? { kind: 'ok', result, position } : { kind: 'unknown' } })
    decided.push({ height, index, client, id: 1 })
    index += 1
    if (effect.endsBlock) [height, index] = [height + 1, 0]
  }
  return { timed, history: historyOf(timed), decided }
}

interface Busy {
  readonly seed: number
  readonly operationsTotal: number
  readonly keysTotal: number
  readonly unknownShare?: number
}

/** About eight, and at times more than sixteen, operations of each key are open at once; a third are reads. */
export function busyHistory({ seed, operationsTotal, keysTotal, unknownShare = 0 }: Busy): LinearExecution {
  const random = randomNumbers(seed)
  const spanUs = 80 * keysTotal
  const effects = Array.from({ length: operationsTotal }, (_, i): Effect => {
    const key = `key ${Math.floor(random() * keysTotal)}`
    return {
      operation: operationOf(Math.floor(random() * 9), key, `${Math.floor(random() * 50)}`),
      pointUs: 1_000_000 + i * 10,
      beforeUs: Math.floor(random() * spanUs),
      afterUs: Math.floor(random() * spanUs),
      fate: random() >= unknownShare ? 'seen' : random() < 0.5 ? 'unknown-executed' : 'unknown-lost',
      observed: random() < 0.5,
      endsBlock: random() < 0.2,
    }
  })
  return execute(effects)
}

export function operationOf(choice: number, key: string, value: string): HistoryOperation {
  if (choice < 3) return get(key)
  if (choice < 5) return put(key, value)
  if (choice === 5) return remove(key)
  if (choice === 6) return increment(key)
  return swap(key, choice === 7 ? null : value, `${value}'`)
}

/** xorshift: enough for shapes of histories. */
export function randomNumbers(seed: number): () => number {
  let state = (seed * 0x9e3779b1 + 1) | 0
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
