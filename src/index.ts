/**
 * Quorate: replicated state machines. The public face: everything a user imports, nothing else.
 *
 *   import { createReplica, defineStateMachine, jsonCodec, simpleSnapshot } from 'quorate'
 *
 *   const replica = await createReplica({ network: 'network.json', identity: 'replica-1', dataDir: 'replica-1/data', stateMachine })
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
export type { ReadNetwork } from './kernel/network-file.ts'
export type { ReplicaId } from './kernel/ids.ts'
export { QuorateError, type QuorateErrorDetails } from './kernel/quorate-error.ts'
export { errorCodes, type ErrorCode } from './kernel/error-codes.ts'
export { createReplica } from './replica/create-replica.ts'
export { readIdentity, readNetworkFile, type Identity, type ReplicaOptions } from './replica/options.ts'
export type { Replica, ReplicaStatus } from './replica/replica.ts'
export type { ReplicaEventMap, ReplicaEventName, ReplicaEvents } from './replica/events.ts'
export type { PermittedClients } from './network/node/replica-network.ts'
export type { PeerContact } from './network/node/peer-links.ts'
export type { WaitOptions } from './client/submitter.ts'
export type { QueryOptions, QueryResult, SubmitResult } from './client/typed-client.ts'
export { createDataDirectory } from './storage/node/create-data-directory.ts'
export { DataDirectoryError, type DataDirectoryErrorCode } from './storage/node/data-directory-error.ts'
export { generateKeyPair, readKeyFile, writeKeyFile, type KeyPair, type KeyPurpose } from './crypto/node/key-file.ts'
