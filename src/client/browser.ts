/**
 * A client of a network, for browsers: `quorate/client` where bundlers look for `browser`. Connects over WebSockets.
 *
 *   const client = createClient({ network: await (await fetch('/network.json')).text(), secretKey, stateMachine: ledger })
 */

import { portableEd25519 } from '../crypto/portable/ed25519-suite.ts'
import { portableHasher } from '../crypto/portable/sha256-hasher.ts'
import type { StateMachineDefinition } from '../execution/state-machine.ts'
import { parseNetworkFile } from '../kernel/network-file.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import { createRandom } from '../kernel/random.ts'
import { connectClient } from '../network/browser/connect-client.ts'
import { NetworkClient, type Client } from './network-client.ts'

export type { Client } from './network-client.ts'
export type { WaitOptions } from './submitter.ts'
export type { QueryOptions, QueryResult, SubmitResult } from './typed-client.ts'
export { QuorateError } from '../kernel/quorate-error.ts'
export { keyValueStore } from '../execution/store/key-value-store.ts'

export interface BrowserClientOptions<Command, Query, Result> {
  /** The text of the network file. */
  network: string
  /** 32 bytes: an Ed25519 seed, and the client's alone. */
  secretKey: Uint8Array
  stateMachine: Pick<StateMachineDefinition<Command, Query, Result>, 'command' | 'query' | 'result'>
}

export function createClient<Command, Query, Result>(
  options: BrowserClientOptions<Command, Query, Result>,
): Client<Command, Query, Result> {
  const { secretKey, stateMachine } = options
  const network = parseNetworkFile(options.network, { hasher: portableHasher, suite: portableEd25519 })
  if (!network.ok) throw new QuorateError(network.error.code, network.error.message)
  if (network.missingApprovals.length > 0) {
    const message = 'not every member has approved the network file: take the one that the replicas run'
    throw new QuorateError('ERR_NETWORK_UNAPPROVED', message)
  }
  const nowMs = (): number => performance.now()
  const random = createRandom(Array.from(randomBytes(16)).join('.'))
  return new NetworkClient({
    epoch: network.epoch,
    stateMachine,
    signer: portableEd25519.signer(secretKey),
    hasher: portableHasher,
    randomBytes,
    nowMs,
    connect: (listener) => connectClient({ epoch: network.epoch, secretKey, random, nowMs, listener }),
  })
}

function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count))
}
