// A client whose links can be made anew: they dial an address that fails more and more seldom, and here all fail every second.

import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { NetworkClient, type ClientLinks, type ClientLinksListener } from '../../../src/client/network-client.ts'
import { nodeEd25519 } from '../../../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../../src/crypto/node/sha256-hasher.ts'
import { keyValueStore } from '../../../src/execution/store/key-value-store.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import type { ReadNetwork } from '../../../src/kernel/network-file.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { connectClient } from '../../../src/network/node/connect-client.ts'
import type { StoreClient } from '../load.ts'

export interface RenewableClient {
  client: StoreClient
  /** Ends the links and dials all replicas again, at once. */
  renew(): void
}

export function renewableClient({ epoch }: ReadNetwork, secretKey: Uint8Array): RenewableClient {
  const nowMs = (): number => performance.now()
  let renew: () => void = () => {}
  const client = new NetworkClient({
    epoch,
    stateMachine: keyValueStore,
    signer: nodeEd25519.signer(secretKey),
    hasher: nodeHasher,
    randomBytes: (count) => Uint8Array.from(randomBytes(count)),
    nowMs,
    connect: (listener) => {
      const dial = (own: ClientLinksListener): ClientLinks => {
        const random = createRandom(randomBytes(16).toString('hex'))
        return connectClient({ epoch, secretKey, random, nowMs, listener: own })
      }
      const links = new RenewableLinks(dial, listener)
      renew = () => links.renew()
      return links
    },
  })
  return { client, renew: () => renew() }
}

class RenewableLinks implements ClientLinks {
  readonly #dial: (listener: ClientLinksListener) => ClientLinks
  readonly #listener: ClientLinksListener
  readonly #connected = new Set<ReplicaId>()
  #generation = 0
  #links: ClientLinks

  constructor(dial: (listener: ClientLinksListener) => ClientLinks, listener: ClientLinksListener) {
    this.#dial = dial
    this.#listener = listener
    this.#links = dial(this.#guarded(0))
  }

  send(to: ReplicaId, body: Uint8Array): void {
    this.#links.send(to, body)
  }

  endTurn(): void {
    this.#links.endTurn()
  }

  stop(): Promise<void> {
    this.#generation++
    return this.#links.stop()
  }

  renew(): void {
    const old = this.#links
    this.#generation++
    this.#links = this.#dial(this.#guarded(this.#generation))
    void old.stop()
    for (const replica of [...this.#connected]) this.#listener.disconnected(replica, 'renewed')
    this.#connected.clear()
  }

  /** What the links of before still say is no news. */
  #guarded(generation: number): ClientLinksListener {
    const isNow = (): boolean => generation === this.#generation
    return {
      connected: (replica) => {
        if (!isNow()) return
        this.#connected.add(replica)
        this.#listener.connected(replica)
      },
      disconnected: (replica, reason) => {
        if (!isNow()) return
        this.#connected.delete(replica)
        this.#listener.disconnected(replica, reason)
      },
      response: (replica, body) => {
        if (isNow()) this.#listener.response(replica, body)
      },
    }
  }
}
