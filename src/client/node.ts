/**
 * A client of a network, for Node: `quorate/client`.
 *
 *   const client = createClient({ network: 'network.json', key: 'client.key', stateMachine: ledger })
 *   const { result, height } = await client.submit({ kind: 'transfer', … })
 */

import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { nodeEd25519 } from '../crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../crypto/node/sha256-hasher.ts'
import { readKeyFile, type KeyPair } from '../crypto/node/key-file.ts'
import type { StateMachineDefinition } from '../execution/state-machine.ts'
import type { ReadNetwork } from '../kernel/network-file.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import { createRandom } from '../kernel/random.ts'
import { connectClient } from '../network/node/connect-client.ts'
import { readNetworkFile, requireApproved } from '../replica/options.ts'
import { NetworkClient, type Client } from './network-client.ts'

export type { Client } from './network-client.ts'
export type { WaitOptions } from './submitter.ts'
export type { QueryOptions, QueryResult, SubmitResult } from './typed-client.ts'
export { QuorateError } from '../kernel/quorate-error.ts'

export interface ClientOptions<Command, Query, Result> {
  /** Path of the network file, or the file as it was read by `readNetworkFile`. */
  network: string | ReadNetwork
  /** Path of the client's key file, or the key. */
  key: string | Pick<KeyPair, 'secretKey'>
  stateMachine: Pick<StateMachineDefinition<Command, Query, Result>, 'command' | 'query' | 'result'>
}

/** Answers at once; the first call waits for a replica. */
export function createClient<Command, Query, Result>(
  options: ClientOptions<Command, Query, Result>,
): Client<Command, Query, Result> {
  const network = typeof options.network === 'string' ? readNetworkFile(options.network) : options.network
  requireApproved(network)
  const secretKey = typeof options.key === 'string' ? readClientKey(options.key) : options.key.secretKey
  const nowMs = (): number => performance.now()
  const random = createRandom(randomBytes(16).toString('hex'))
  return new NetworkClient({
    epoch: network.epoch,
    stateMachine: options.stateMachine,
    signer: nodeEd25519.signer(secretKey),
    hasher: nodeHasher,
    randomBytes: (count) => Uint8Array.from(randomBytes(count)),
    nowMs,
    connect: (listener) => connectClient({ epoch: network.epoch, secretKey, random, nowMs, listener }),
  })
}

function readClientKey(path: string): Uint8Array {
  const key = readKeyFile(path, 'client')
  if (!key.ok) throw new QuorateError(key.code, key.message)
  return key.pair.secretKey
}
