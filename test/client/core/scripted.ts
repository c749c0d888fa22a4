// A client whose replicas say what the test makes them say.

import { ClientCore, clientLimitsDefault, type ClientCoreOptions } from '../../../src/client/core/client-core.ts'
import type { Settled } from '../../../src/client/core/operation.ts'
import {
  clientRequestCodec,
  clientResponseCodec,
  type ClientRequest,
  type ClientResponse,
} from '../../../src/kernel/client-messages.ts'
import {
  envelopeCodec,
  type Envelope,
  type OpenEnvelope,
  type OperationsEnvelope,
} from '../../../src/kernel/envelope.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { outcomeCodec, type Outcome } from '../../../src/kernel/outcome.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { decode, encode } from '../../../src/wire/codec.ts'
import { clientKey, text } from '../../execution/fixtures.ts'

export const sessionId = { height: 3, index: 0 }

export interface Sent {
  to: number
  request: ClientRequest
}

export class Scripted {
  readonly core: ClientCore
  readonly settled: Settled[] = []
  nowMs = 1000
  #sent: Sent[] = []

  constructor(options: Partial<ClientCoreOptions> = {}, connected: readonly number[] = [1, 2, 3]) {
    let nonces = 0
    this.core = new ClientCore({
      network: new Uint8Array(32),
      client: clientKey(1),
      signer: null,
      repliesNeeded: 1,
      repliesKept: 8,
      replicas: [1, 2, 3, 4] as ReplicaId[],
      nonce: () => new Uint8Array(16).fill(++nonces),
      random: createRandom('scripted'),
      hasher: simulatedHasher,
      send: (to, bytes) => {
        const request = decode(clientRequestCodec, bytes)
        if (!request.ok) throw request.error
        this.#sent.push({ to, request: request.value })
      },
      limits: clientLimitsDefault,
      ...options,
    })
    for (const replica of connected) this.core.connected(replica as ReplicaId, this.nowMs)
  }

  submit(command: string) {
    return this.core.submit(text(command), (settled) => void this.settled.push(settled))
  }

  query(consistency: 'linearizable' | 'local' = 'linearizable') {
    return this.core.query(text('how many'), consistency, (settled) => void this.settled.push(settled))
  }

  /** Ends the turn, and returns what left since the last. */
  turn(passedMs = 0): Sent[] {
    this.nowMs += passedMs
    this.core.endTurn(this.nowMs)
    return this.#sent.splice(0)
  }

  /** To the moment at which the core says that it is due. */
  next(): Sent[] {
    const { dueMs } = this.core
    if (dueMs === null) throw new Error('nothing is due')
    return this.turn(Math.max(0, dueMs - this.nowMs))
  }

  says(from: number, response: ClientResponse): void {
    this.core.response(from as ReplicaId, encode(clientResponseCodec, response), this.nowMs)
  }

  opened(from: number, nonce: Uint8Array, outcome: Outcome = { kind: 'opened', session: sessionId }, height = 3): void {
    const encoded = encode(outcomeCodec, outcome)
    this.says(from, { kind: 'opened', client: clientKey(1), nonce, height, index: 0, outcome: encoded })
  }

  replies(from: number, number: number, outcome: Outcome | string, height = 9, session = sessionId): void {
    const value: Outcome = typeof outcome === 'string' ? { kind: 'executed', result: text(outcome) } : outcome
    const reply = { session, number, height, index: 0, outcome: encode(outcomeCodec, value) }
    this.says(from, { kind: 'replies', replies: [reply] })
  }

  /** A session is open, and nothing is under way. */
  open(): this {
    const operation = this.submit('to open')
    const nonce = opening(this.turn()).nonce
    for (const replica of [1, 2, 3]) this.opened(replica, nonce)
    this.core.abandon(operation, 'ERR_ABORTED', 'enough')
    this.settled.length = 0
    this.turn()
    return this
  }
}

/** An outcome as replicas write it. */
export function executed(result: string): Uint8Array {
  return encode(outcomeCodec, { kind: 'executed', result: text(result) })
}

export function envelopes(sent: readonly Sent[]): Envelope[] {
  return sent.flatMap(({ request }) =>
    request.kind !== 'submit'
      ? []
      : request.envelopes.map((encoded) => {
          const envelope = decode(envelopeCodec, encoded)
          if (!envelope.ok) throw envelope.error
          return envelope.value
        }),
  )
}

export function opening(sent: readonly Sent[]): OpenEnvelope {
  return envelopes(sent).find((envelope) => envelope.kind === 'open')!
}

export function operationsIn(sent: readonly Sent[]): OperationsEnvelope[] {
  return envelopes(sent).filter((envelope) => envelope.kind === 'operations')
}

/** How each came out: "ok result", or the failure's code and certainty. */
export function words(settled: readonly Settled[]): string[] {
  return settled.map((one) =>
    one.ok ? `ok ${new TextDecoder().decode(one.result)}` : `${one.failure.code} ${one.failure.certainty}`,
  )
}
