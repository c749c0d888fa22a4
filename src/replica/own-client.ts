// The application's own way in: a client like any other, without a socket. Its messages wait for the turn, because neither side may
// call the other from within a call.

import { randomBytes } from 'node:crypto'
import { ClientCore } from '../client/core/client-core.ts'
import { Submitter } from '../client/submitter.ts'
import type { Signer } from '../kernel/crypto-ports.ts'
import { nonceBytes, type SessionId } from '../kernel/envelope.ts'
import { faultModelOf, type ReplicaId } from '../kernel/ids.ts'
import type { Epoch } from '../kernel/membership.ts'
import type { Random } from '../kernel/random.ts'

export interface OwnClientOptions {
  epoch: Epoch
  self: ReplicaId
  /** Of the link key. */
  signer: Signer
  random: Random
  nowMs: () => number
  /** Into the replica. */
  request: (bytes: Uint8Array) => void
  /** Asks for a turn soon. */
  turn: () => void
  /** Sessions that earlier lives of this replica opened. */
  left: readonly SessionId[]
  opened: (session: SessionId) => void
}

export class OwnClient {
  readonly submitter: Submitter
  readonly #options: OwnClientOptions
  readonly #core: ClientCore
  #requests: Uint8Array[] = []
  #responses: Uint8Array[] = []
  #timer: ReturnType<typeof setTimeout> | null = null
  #timerMs = 0
  #closed = false

  constructor(options: OwnClientOptions) {
    const { epoch, self, signer, random, nowMs, turn, left, opened } = options
    this.#options = options
    this.#core = new ClientCore({
      network: epoch.network,
      client: signer.publicKey,
      signer: epoch.parameters.envelopeSignatures === 'required' ? signer : null,
      // It believes the replica that it is a part of.
      repliesNeeded: 1,
      // It lags behind others, and asks nobody else.
      ...(faultModelOf(epoch.protocol) === 'byzantine' ? { reads: { kind: 'ordered' } } : {}),
      repliesKept: epoch.parameters.sessions.repliesKept,
      replicas: [self],
      nonce: () => Uint8Array.from(randomBytes(nonceBytes)),
      random,
      left,
      opened,
      send: (_to, request) => void this.#requests.push(request),
    })
    this.#core.connected(self, nowMs())
    this.submitter = new Submitter(this.#core, turn)
  }

  get underWay(): number {
    return this.#core.underWay
  }

  response(bytes: Uint8Array): void {
    this.#responses.push(bytes)
    this.#options.turn()
  }

  /** Before the replica ends its turn. */
  endTurn(): void {
    const { self, nowMs, request } = this.#options
    for (const bytes of this.#responses.splice(0)) this.#core.response(self, bytes, nowMs())
    this.#core.endTurn(nowMs())
    for (const bytes of this.#requests.splice(0)) request(bytes)
    this.#arm()
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#core.close()
  }

  #arm(): void {
    const { nowMs, turn } = this.#options
    // Closed by a listener in the middle of a turn.
    if (this.#closed) return
    const dueMs = this.#core.dueMs
    if (this.#timer !== null && dueMs === this.#timerMs) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (dueMs === null) return
    this.#timerMs = dueMs
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        turn()
      },
      Math.max(1, dueMs - nowMs()),
    )
  }
}
