// Goal: the client around its core: whatever is refused is refused by the promise, and turns share a timer. Method: the test is the replica.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NetworkClient, type ClientLinksListener } from '../../src/client/network-client.ts'
import { bytesCodec, type ValueCodec } from '../../src/execution/value-codec.ts'
import {
  clientRequestCodec,
  clientResponseCodec,
  type ClientRequest,
  type ClientResponse,
} from '../../src/kernel/client-messages.ts'
import { envelopeCodec, type Envelope } from '../../src/kernel/envelope.ts'
import { replicaId } from '../../src/kernel/ids.ts'
import type { Epoch } from '../../src/kernel/membership.ts'
import { outcomeCodec, type Outcome } from '../../src/kernel/outcome.ts'
import { defaultParameters } from '../../src/kernel/parameters.ts'
import { simulatedHasher } from '../../src/simulator/simulated-suite.ts'
import { decode, encode } from '../../src/wire/codec.ts'
import { clientKey, none, text } from '../execution/fixtures.ts'

const replica = replicaId(1)
const session = { height: 3, index: 0 }
const key = clientKey(1)
const epoch: Epoch = {
  network: new Uint8Array(32),
  number: 1,
  firstHeight: 1,
  protocol: 'raft',
  members: [{ id: replica, name: 'one', role: 'voter', consensusKey: key, linkKey: key, addresses: [], priority: 0 }],
  parameters: defaultParameters('link'),
}
const refusing: ValueCodec<Uint8Array> = {
  encode: () => {
    throw new TypeError('it has no encoding')
  },
  decode: () => ({ ok: false, reason: 'it is none' }),
}

type Codecs = Partial<Record<'command' | 'query' | 'result', ValueCodec<Uint8Array>>>

class World {
  readonly client: NetworkClient<Uint8Array, Uint8Array, Uint8Array>
  requests: ClientRequest[] = []
  #listener!: ClientLinksListener

  constructor(codecs: Codecs = {}) {
    this.client = new NetworkClient({
      epoch,
      stateMachine: { command: bytesCodec, query: bytesCodec, result: bytesCodec, ...codecs },
      signer: { publicKey: key, sign: () => none },
      hasher: simulatedHasher,
      randomBytes: (count) => new Uint8Array(count).fill(1),
      nowMs: () => performance.now(),
      connect: (listener) => {
        this.#listener = listener
        const send = (_to: number, body: Uint8Array): void => {
          const request = decode(clientRequestCodec, body)
          if (!request.ok) throw request.error
          this.requests.push(request.value)
        }
        return { send, endTurn: () => {}, stop: () => Promise.resolve() }
      },
    })
    this.#listener.connected(replica)
  }

  /** What has left, and leaves in this turn. */
  async left(): Promise<Envelope[]> {
    await Promise.resolve()
    const requests = this.requests.splice(0)
    return requests.flatMap((request) => (request.kind === 'submit' ? request.envelopes.map(envelopeOf) : []))
  }

  /** The session for what was submitted: it leaves. */
  async open(): Promise<Envelope[]> {
    const [opening] = await this.left()
    if (opening?.kind !== 'open') throw new Error('no opening has left')
    const { client, nonce } = opening
    const outcome = encode(outcomeCodec, { kind: 'opened', session })
    this.says({ kind: 'opened', client, nonce, height: 3, index: 0, outcome })
    return this.left()
  }

  answer(number: number, outcome: Outcome = { kind: 'executed', result: text('done') }): void {
    const reply = { session, number, height: 9, index: number, outcome: encode(outcomeCodec, outcome) }
    this.says({ kind: 'replies', replies: [reply] })
  }

  says(response: ClientResponse): void {
    this.#listener.response(replica, encode(clientResponseCodec, response))
  }
}

function envelopeOf(encoded: Uint8Array): Envelope {
  const envelope = decode(envelopeCodec, encoded)
  if (!envelope.ok) throw envelope.error
  return envelope.value
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a promise', () => {
  it('is given what came of the operation', async () => {
    const world = new World()
    const submitted = world.client.submit(text('put'))
    await world.open()
    world.answer(1)
    expect(await submitted).toEqual({ result: text('done'), height: 9, index: 1 })
    const asked = world.client.query(text('get'))
    await world.left()
    expect(world.client).toBeDefined()
    const failed = world.client.submit(text('put'))
    await world.left()
    world.answer(2, { kind: 'refused', code: 'InvalidCommand' })
    await expect(failed).rejects.toMatchObject({ code: 'ERR_INVALID_COMMAND', certainty: 'definite' })
    await world.client.close()
    await expect(asked).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  it('is one turn away from the answer, so that what its caller does next leaves with what the answer brings', async () => {
    const world = new World()
    const submitted = world.client.submit(text('put'))
    await world.open()
    void submitted.then(() => world.client.submit(text('next')))
    world.answer(1)
    expect(await world.left()).toHaveLength(1)
  })

  it.each([
    ['that has no encoding', { command: refusing, query: refusing }, {}, TypeError],
    ['with a deadline of none', {}, { deadlineMs: 0 }, RangeError],
    ['with a deadline that no timer has', {}, { deadlineMs: 2 ** 31 }, RangeError],
  ] as [string, Codecs, { deadlineMs?: number }, typeof Error][])(
    'is what refuses one %s, and nothing is thrown',
    async (_name, codecs, options, error) => {
      const { client } = new World(codecs)
      const both = [client.submit(text('put'), options), client.query(text('get'), options)]
      for (const promise of both) await expect(promise).rejects.toThrowError(error)
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  it('refuses a result that its codec refuses', async () => {
    const world = new World({ result: refusing })
    const submitted = world.client.submit(text('put'))
    await world.open()
    world.answer(1)
    await expect(submitted).rejects.toMatchObject({ code: 'ERR_RESULT_UNREADABLE', certainty: 'indefinite' })
  })

  it('refuses what was aborted before or under way, and at the deadline', async () => {
    const world = new World()
    const before = world.client.submit(text('put'), { signal: AbortSignal.abort() })
    await expect(before).rejects.toMatchObject({ code: 'ERR_ABORTED', certainty: 'definite' })
    const controller = new AbortController()
    const aborted = world.client.submit(text('put'), { signal: controller.signal })
    const late = world.client.submit(text('put'), { deadlineMs: 50 })
    await world.open()
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'ERR_ABORTED', certainty: 'indefinite' })
    vi.advanceTimersByTime(50)
    await expect(late).rejects.toMatchObject({ code: 'ERR_DEADLINE', certainty: 'indefinite' })
  })
})

describe('the timer', () => {
  it('is one for many turns, and what is due goes out again when it is', async () => {
    const world = new World()
    const made = vi.spyOn(globalThis, 'setTimeout')
    void world.client.submit(text('first'))
    await world.open()
    for (let number = 1; number <= 100; number++) {
      void world.client.submit(text('next'))
      expect(await world.left()).toHaveLength(1)
      world.answer(number)
      expect(await world.left()).toHaveLength(0)
    }
    // Of the deadlines' queue, the opening's, and of the few envelopes that are drawn to be due before all others.
    expect(made.mock.calls.length).toBeLessThan(10)
    world.answer(101)
    vi.advanceTimersByTime(700)
    void world.client.submit(text('last'))
    expect(await world.left()).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(990)
    expect(await world.left()).toEqual([])
    await vi.advanceTimersByTimeAsync(300)
    expect((await world.left()).map(({ kind }) => kind)).toEqual(['operations'])
    world.answer(102)
    await world.client.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})
