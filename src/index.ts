/**
 * Quorate: replicated state machines. The public face: everything a user imports, nothing else.
 *
 *   import { defineStateMachine, jsonCodec, simpleSnapshot } from 'quorate'
 *
 * This release holds what an application is written with and tested by; replicas on real sockets and disks come next.
 */

export {
  defineStateMachine,
  type ApplyContext,
  type BlockContext,
  type StateMachine,
  type StateMachineDefinition,
  type StateMachineOptions,
  type TransactionalStateMachine,
} from './execution/state-machine.ts'
export {
  bytesCodec,
  jsonCodec,
  type JsonCodecOptions,
  type ValueCodec,
  type ValueDecoded,
} from './execution/value-codec.ts'
export { simpleSnapshot, simpleSnapshotBytesMax, type SimpleSnapshot } from './execution/simple-snapshot.ts'
export type { RestoredChunk, StateChunk } from './execution/state-chunks.ts'
export { keyValueStore } from './execution/store/key-value-store.ts'
export type { StoreCommand, StoreQuery } from './execution/store/commands.ts'
export type { StoreResult } from './execution/store/results.ts'
export { certaintyOf, type Certainty, type Outcome, type RefusalCode } from './kernel/outcome.ts'
export { parseNetworkFile, type NetworkFile, type NetworkFileError } from './kernel/network-file.ts'
export { faultsTolerated, oneCorrect, quorum } from './kernel/quorum.ts'
export type { FaultModel, ProtocolName } from './kernel/ids.ts'
export type { Random } from './kernel/random.ts'
