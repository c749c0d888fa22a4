// The simulated clients' operations in the words of the built-in store, and back.

import { decode, encode } from '../wire/codec.ts'
import type { Hasher } from '../kernel/crypto-ports.ts'
import type { SessionId } from '../kernel/envelope.ts'
import type { Epoch } from '../kernel/membership.ts'
import { outcomeCodec, type Outcome } from '../kernel/outcome.ts'
import { Executor } from '../execution/executor.ts'
import { slicesDefault, type SliceLimits } from '../execution/root-in-progress.ts'
import { storeCommandCodec, storeQueryCodec, type StoreCommand } from '../execution/store/commands.ts'
import { keyValueStore } from '../execution/store/key-value-store.ts'
import { storeResultCodec, type StoreResult } from '../execution/store/results.ts'
import type { HistoryOperation, HistoryResult } from './checkers/key-value-model.ts'

export function createStoreExecutor(epoch: Epoch, hasher: Hasher, slices: SliceLimits = slicesDefault): Executor {
  const { sessions, checkpoints } = epoch.parameters
  return new Executor({ machine: keyValueStore, hasher, epoch: epoch.number, sessions, checkpoints, slices })
}

export function writeCommand(operation: HistoryOperation): Uint8Array {
  return encode(storeCommandCodec, commandOf(operation))
}

export function commandOf(operation: HistoryOperation): StoreCommand {
  const key = toBytes(operation.key)
  switch (operation.kind) {
    case 'put':
      return { kind: 'put', key, value: toBytes(operation.value), lease: 0 }
    case 'get':
    case 'delete':
      return { kind: operation.kind, key }
    case 'compareAndSwap': {
      const expected = operation.expected === null ? null : toBytes(operation.expected)
      return { kind: 'compareAndSwap', key, expected, value: toBytes(operation.value) }
    }
    case 'increment':
      return { kind: 'increment', key, by: 1 }
  }
}

export function writeQuery(operation: HistoryOperation): Uint8Array {
  return encode(storeQueryCodec, { kind: 'get', key: toBytes(operation.key) })
}

/** The session that was opened; null if the opening was refused. */
export function sessionOf(outcomeBytes: Uint8Array): SessionId | null {
  const outcome = outcomeOf(outcomeBytes)
  return outcome.kind === 'opened' ? outcome.session : null
}

/** Did the operation run, now or before? Refusals and cancels did not. */
export function isExecuted(outcomeBytes: Uint8Array): boolean {
  return outcomeOf(outcomeBytes).kind === 'executed'
}

function outcomeOf(bytes: Uint8Array): Outcome {
  const outcome = decode(outcomeCodec, bytes)
  if (!outcome.ok) throw outcome.error
  return outcome.value
}

export function resultOf(bytes: Uint8Array): HistoryResult {
  const decoded = decode(storeResultCodec, bytes)
  if (!decoded.ok) throw decoded.error
  return historyResultOf(decoded.value)
}

export function historyResultOf(result: StoreResult): HistoryResult {
  switch (result.kind) {
    case 'put':
      return { kind: 'done' }
    case 'value':
      return { kind: 'value', value: result.entry === null ? null : toText(result.entry.value) }
    case 'deleted':
      return { kind: 'deleted', existed: result.existed }
    case 'swapped':
      return { kind: 'swapped', swapped: result.swapped }
    case 'number':
      return { kind: 'number', value: result.value }
    case 'refused':
      return { kind: 'refused' }
    default:
      throw new Error(`no simulated client asks for ${result.kind}`)
  }
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function toText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
