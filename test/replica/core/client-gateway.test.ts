// What clients are told: a read only what execution has reached, everything within bounds, one message for each turn.

import { describe, expect, it, vi } from 'vitest'
import { clientRequestCodec, clientResponseCodec, type ClientResponse } from '../../../src/kernel/client-messages.ts'
import { envelopeCodec, type Envelope } from '../../../src/kernel/envelope.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import type { ExecutedBlock } from '../../../src/execution/executed-block.ts'
import {
  ClientGateway,
  gatewayLimitsDefault,
  readAgainMs,
  type GatewayLimits,
} from '../../../src/replica/core/client-gateway.ts'
import { lateAnswerOverheadBytes } from '../../../src/replica/core/late-reads.ts'
import { Pool, poolLimitsDefault } from '../../../src/replica/pool/request-pool.ts'
import { decode, encode } from '../../../src/wire/codec.ts'
import {
  cancel,
  clientKey,
  createExecutor,
  none,
  open,
  openSession,
  operations,
  run,
} from '../../execution/fixtures.ts'

const now = { monotonicMs: 1, wallMs: 1 }
const mib = 1024 * 1024

function bench(limits: Partial<GatewayLimits> = {}, operationsMax = 100, leadersTakeTurns = false) {
  let leads: number | null = 2
  const executor = createExecutor()
  const sent: { to: number; response: ClientResponse }[] = []
  const reads: number[] = []
  const pool = new Pool({
    limits: { ...poolLimitsDefault, operationsMax },
    forward: () => {},
    isOver: (envelope) => gateway.isOver(envelope),
  })
  const gateway: ClientGateway = new ClientGateway({
    pool,
    executor,
    send: (to, bytes) => {
      const response = decode(clientResponseCodec, bytes)
      if (!response.ok) throw response.error
      sent.push({ to, response: response.value })
    },
    authentic: (envelope) => envelope.client[0] !== 66,
    read: (id) => void reads.push(id),
    leader: () => leads as ReplicaId | null,
    leadersTakeTurns,
    self: 2 as ReplicaId,
    report: () => new Uint8Array([123, 125]),
    limits: { ...gatewayLimitsDefault, ...limits },
  })
  const submit = (to: number, ...envelopes: Envelope[]): void => {
    const encoded = envelopes.map((envelope) => encode(envelopeCodec, envelope))
    gateway.request(to, encode(clientRequestCodec, { kind: 'submit', envelopes: encoded }), now)
  }
  const query = (to: number, id: number, consistency: 'linearizable' | 'local' = 'linearizable'): void =>
    gateway.request(to, encode(clientRequestCodec, { kind: 'query', id, consistency, query: none }), now)
  const executes = (...envelopes: Envelope[]): void => gateway.executed(run(executor, ...envelopes), now)
  return {
    gateway,
    executor,
    pool,
    reads,
    submit,
    query,
    executes,
    taken: () => sent.splice(0),
    lead: (replica: number | null) => void (leads = replica),
  }
}

describe('a read', () => {
  it('is answered only when the height it must see has been executed', () => {
    const { gateway, executor, reads, query, executes, taken } = bench()
    query(7, 40)
    gateway.readReady(reads[0]!, 2)
    expect(taken()).toEqual([])
    executes()
    expect(taken()).toEqual([])
    executes()
    expect(taken()).toEqual([{ to: 7, response: { kind: 'answer', id: 40, height: 2, answer: executor.query(none) } }])
    executes()
    gateway.readReady(reads[0]!, 2)
    expect(taken()).toEqual([])
  })

  it('waits for the protocol, however far execution is, and a local one waits for nobody', () => {
    const { gateway, reads, query, executes, taken } = bench()
    executes()
    query(7, 40)
    executes()
    expect(taken()).toEqual([])
    query(7, 41, 'local')
    expect(taken()).toMatchObject([{ response: { kind: 'answer', id: 41, height: 2 } }])
    expect(reads).toHaveLength(1)
    gateway.readReady(reads[0]!, 1)
    expect(taken()).toMatchObject([{ response: { kind: 'answer', id: 40, height: 2 } }])
  })

  it('is refused beyond the bound, and room is made by an answer and by a failure', () => {
    const { gateway, reads, query, taken } = bench({ readsMax: 2 })
    for (const id of [1, 2, 3]) query(7, id)
    expect(reads).toHaveLength(2)
    expect(taken()).toMatchObject([{ response: { kind: 'unanswered', id: 3, reason: 'overloaded' } }])
    gateway.readFailed(reads[0]!, 'not-leader')
    expect(taken()).toMatchObject([{ response: { kind: 'unanswered', id: 1, reason: 'not-leader', leader: 2 } }])
    gateway.readReady(reads[1]!, 0)
    expect(taken()).toMatchObject([{ response: { kind: 'answer', id: 2 } }])
    for (const id of [4, 5]) query(7, id)
    expect(taken()).toEqual([])
    expect(reads).toHaveLength(4)
  })
})

describe('reads of one message', () => {
  const nonce = new Uint8Array(16).fill(9)
  const ask = (count: number, statesFirst = false): Uint8Array => {
    const reads = Array.from({ length: count }, (_, id) => ({ id, query: none }))
    return encode(clientRequestCodec, { kind: 'reads', nonce, statesFirst, reads })
  }

  it('are one question to the protocol, and are answered at the height it names, not above it and not below', () => {
    const { gateway, executor, reads, executes, taken } = bench()
    gateway.request(7, ask(3), now)
    expect(reads).toHaveLength(1)
    gateway.readReady(reads[0]!, 2)
    executes()
    expect(taken()).toEqual([])
    executes()
    const answers = [0, 1, 2].map((id) => ({ id, answer: executor.query(none) }))
    executes()
    expect(taken()).toEqual([{ to: 7, response: { kind: 'answers', nonce, stated: 2, height: 2, answers } }])
  })

  it('are stated before they can be answered, where that is asked', () => {
    const { gateway, reads, executes, taken } = bench()
    gateway.request(7, ask(1, true), now)
    gateway.readReady(reads[0]!, 2)
    expect(taken()).toEqual([{ to: 7, response: { kind: 'answers', nonce, stated: 2, height: 0, answers: [] } }])
    executes()
    executes()
    expect(taken()).toMatchObject([{ response: { kind: 'answers', stated: 2, height: 2, answers: [{ id: 0 }] } }])
    gateway.request(7, ask(1, true), now)
    gateway.readReady(reads[1]!, 2)
    expect(taken()).toMatchObject([{ response: { kind: 'answers', stated: 2, height: 2, answers: [{ id: 0 }] } }])
  })

  it('count one by one and by their bytes, and what is answered, failed or left makes room', () => {
    const { gateway, reads, taken } = bench({ readsMax: 4 })
    gateway.request(7, ask(3), now)
    gateway.request(8, ask(2), now)
    const overloaded = { kind: 'reads-unanswered', nonce, reason: 'overloaded', leader: null }
    expect(taken()).toEqual([{ to: 8, response: overloaded }])
    gateway.closed(7)
    gateway.request(8, ask(2), now)
    gateway.request(8, ask(2), now)
    expect(taken()).toEqual([])
    gateway.readFailed(reads[1]!, 'no-quorum')
    expect(taken()).toMatchObject([{ response: { kind: 'reads-unanswered', reason: 'no-quorum', leader: 2 } }])
    gateway.readReady(reads[2]!, 0)
    expect(taken()).toMatchObject([{ response: { kind: 'answers' } }])
    gateway.request(8, ask(4), now)
    expect(taken()).toEqual([])

    const small = bench({ readBytesMax: 10 })
    const query = encode(clientRequestCodec, {
      kind: 'reads',
      nonce,
      statesFirst: true,
      reads: [{ id: 1, query: new Uint8Array(6) }],
    })
    small.gateway.request(7, query, now)
    small.gateway.request(7, query, now)
    expect(small.taken()).toEqual([{ to: 7, response: overloaded }])
    small.gateway.readReady(small.reads[0]!, 0)
    small.gateway.request(7, query, now)
    expect(small.taken()).toMatchObject([{ response: { kind: 'answers' } }])
  })
})

describe('ordered reads', () => {
  const read = (client: number, nonce: number): Envelope => ({
    kind: 'read',
    client: clientKey(client),
    nonce: new Uint8Array(16).fill(nonce),
    queries: [none, none],
    signature: new Uint8Array(0),
  })

  it('are answered to whoever asked, once, from the state that their block has left, and change nothing agreed on', () => {
    const { gateway, executor, submit, executes, taken } = bench()
    const session = openSession(executor, 1, 1)
    submit(7, read(1, 5))
    submit(8, read(2, 5))
    expect(taken()).toEqual([])
    const block = run(executor, read(1, 5), operations(1, session, 1, ['a']), read(3, 5))
    expect(block.leaves).toHaveLength(1)
    expect(block.replies).toHaveLength(1)
    gateway.executed(block, now)
    const answers = [0, 1].map((id) => ({ id, answer: executor.query(none) }))
    const { height } = executor
    const nonce = new Uint8Array(16).fill(5)
    expect(taken()).toEqual([{ to: 7, response: { kind: 'answers', nonce, stated: height, height, answers } }])
    executes(read(1, 5))
    expect(taken()).toEqual([])
  })

  it('are answered again to whoever asks again, or after their block only, from the state that it has left', () => {
    const { gateway, executor, submit, executes, taken } = bench()
    const session = openSession(executor, 1, 1)
    submit(7, read(1, 5))
    executes(operations(1, session, 1, ['a']), read(1, 5), read(2, 6))
    const answers = [0, 1].map((id) => ({ id, answer: executor.query(none) }))
    const { height } = executor
    const told = (to: number, nonce: number) => ({
      to,
      response: { kind: 'answers', nonce: new Uint8Array(16).fill(nonce), stated: height, height, answers },
    })
    expect(taken()).toEqual([told(7, 5)])
    // A copy that is ordered changes nothing.
    executes(operations(1, session, 2, ['b']), read(1, 5))
    gateway.poolChanged = false
    for (let turn = 0; turn < 3; turn++) {
      submit(7, read(1, 5))
      submit(8, read(2, 6))
      expect(taken()).toEqual([told(7, 5), told(8, 6)])
      gateway.endTurn()
      taken()
    }
    expect(gateway.poolChanged).toBe(false)
    submit(8, read(2, 7))
    expect(taken()).toEqual([])
    expect(gateway.poolChanged).toBe(true)
  })

  it('are answered again once a turn, and no more than so many bytes to one connection', () => {
    const { gateway, executor, submit, executes, taken } = bench()
    openSession(executor, 1, 1)
    executes(read(1, 5), read(1, 6))
    const bytes = 2 * (executor.query(none).length + lateAnswerOverheadBytes)
    submit(7, read(1, 5), read(1, 5), read(1, 6))
    submit(7, read(1, 5))
    submit(8, read(1, 5))
    expect(taken().map(({ to }) => to)).toEqual([7, 7, 8])
    gateway.endTurn()
    taken()
    const small = bench({ repeatedBytesMax: 2 * bytes - 1 })
    openSession(small.executor, 1, 1)
    small.executes(read(1, 5), read(1, 6))
    small.submit(7, read(1, 5), read(1, 6))
    expect(small.taken()).toHaveLength(1)
    small.gateway.endTurn()
    small.taken()
    small.submit(7, read(1, 6))
    expect(small.taken()).toHaveLength(1)
  })

  it('that are too large to keep are answered to who waits, and to nobody later: that is asked for under another name', () => {
    const { gateway, executor, submit, executes, taken } = bench()
    vi.spyOn(executor, 'query').mockReturnValue(new Uint8Array(mib))
    const four = { ...read(1, 5), queries: [none, none, none, none] } as Envelope
    submit(7, four)
    executes(four)
    const answered = taken().flatMap(({ response }) => (response.kind === 'answers' ? response.answers : []))
    expect(answered.map(({ id, answer }) => [id, answer.length])).toEqual([0, 1, 2, 3].map((id) => [id, mib]))
    gateway.poolChanged = false
    submit(7, four)
    expect(taken()).toEqual([])
    expect(gateway.poolChanged).toBe(false)
  })
})

describe('a request', () => {
  it('that is malformed or not authentic is refused, and what stands beside it is taken', () => {
    const { gateway, submit, taken } = bench()
    gateway.request(7, Uint8Array.of(9, 9), now)
    expect(gateway.poolChanged).toBe(false)
    submit(7, open(66, 1), open(1, 1))
    expect(gateway.poolChanged).toBe(true)
    const refused = { kind: 'refused', reason: 'malformed', retryAfterMs: 100, leader: 2 }
    expect(taken()).toEqual([
      { to: 7, response: refused },
      { to: 7, response: { ...refused, reason: 'not-authentic' } },
    ])
  })

  it('that no state could make sense of is refused, and is taken from nobody who hands it on', () => {
    const { gateway, executor, submit, taken } = bench()
    const session = openSession(executor, 1, 1)
    const cancelled = {
      kind: 'cancel',
      client: clientKey(1),
      session,
      firstNumber: 1,
      count: 0,
      signature: none,
    } satisfies Envelope
    const read = {
      kind: 'read',
      client: clientKey(1),
      nonce: new Uint8Array(16),
      queries: [] as Uint8Array[],
      signature: none,
    } satisfies Envelope
    for (const envelope of [operations(1, session, 1, []), operations(1, session, 0, ['a']), cancelled, read]) {
      submit(7, envelope)
      expect(taken()).toMatchObject([{ response: { kind: 'refused', reason: 'malformed' } }])
      gateway.forwarded(3 as ReplicaId, [encode(envelopeCodec, envelope)], () => true, now)
      expect(gateway.poolChanged).toBe(false)
    }
  })

  it('that the pool has no room for is refused as overload, once for a message, and a known one is not', () => {
    const { submit, taken } = bench({ retryAfterMs: 250 }, 1)
    submit(7, open(1, 1))
    submit(7, open(1, 1))
    expect(taken()).toEqual([])
    submit(7, open(1, 2), open(1, 3))
    expect(taken()).toEqual([
      { to: 7, response: { kind: 'refused', reason: 'overloaded', retryAfterMs: 250, leader: 2 } },
    ])
  })
})

describe('what was executed', () => {
  const readOf = (nonce: number): Envelope => {
    const bytes = new Uint8Array(16).fill(nonce)
    return { kind: 'read', client: clientKey(1), nonce: bytes, queries: [none], signature: none }
  }

  function executed(limits: Partial<GatewayLimits> = {}) {
    const all = bench(limits)
    const { gateway, executor } = all
    const session = openSession(executor, 1, 1)
    const expired = open(2, 1, 1)
    const request = operations(1, session, 1, ['a', 'b'])
    gateway.executed(run(executor, request), now)
    for (let height = 0; height < 30; height++) run(executor)
    const alive = openSession(executor, 1, 2)
    const kept = operations(1, alive, 1, ['a', 'b'])
    const reply = run(executor, kept)
    gateway.executed(reply, now)
    gateway.executed(run(executor, readOf(5)), now)
    const forwardAfter = (ms: number, ...envelopes: Envelope[]): boolean => {
      gateway.poolChanged = false
      const encoded = envelopes.map((envelope) => encode(envelopeCodec, envelope))
      const { monotonicMs, wallMs } = now
      gateway.forwarded(3 as ReplicaId, encoded, () => true, { monotonicMs: monotonicMs + ms, wallMs })
      return gateway.poolChanged
    }
    const forward = (...envelopes: Envelope[]): boolean => forwardAfter(0, ...envelopes)
    return { ...all, forward, forwardAfter, alive, kept, reply, expired, lost: request }
  }

  it('is answered again at once, as it was, and waits for nobody', () => {
    const { gateway, submit, kept, alive, reply, taken } = executed()
    submit(7, kept, open(1, 2, 32))
    gateway.endTurn()
    expect(gateway.poolChanged).toBe(false)
    const replies = reply.replies.map((each) => {
      if (each.kind !== 'operation') throw new Error('an opening')
      const { session, number, height, index, outcome } = each
      return { session, number, height, index, outcome }
    })
    const [opened, again] = taken()
    expect(opened).toMatchObject({ to: 7, response: { kind: 'opened', height: alive.height, index: alive.index } })
    expect(again).toEqual({ to: 7, response: { kind: 'replies', replies } })
  })

  it('is answered once a turn, and up to a number of bytes to each connection', () => {
    const { gateway, submit, kept, taken } = executed({ repeatedBytesMax: 100 })
    const count = (): number => {
      gateway.endTurn()
      return taken().reduce((sum, { response }) => sum + (response.kind === 'replies' ? response.replies.length : 0), 0)
    }
    submit(7, kept, kept, kept)
    // The second one would be beyond the limit: its client asks again, and for that one alone if it likes.
    expect(count()).toBe(1)
    submit(7, kept)
    expect(count()).toBe(1)
    expect(gateway.poolChanged).toBe(false)
    const ample = executed()
    ample.submit(7, kept, kept, kept)
    ample.gateway.endTurn()
    const [message] = ample.taken()
    expect(message!.response.kind === 'replies' && message!.response.replies.length).toBe(2)
  })

  it('is not taken from those who hand it on, whoever leads', () => {
    const { forward, kept, lead } = executed()
    for (const leader of [2, 3, null]) {
      lead(leader)
      expect(forward(kept)).toBe(false)
    }
  })

  it('in a session or an opening that is over is over too: whoever asks is told, at the place that all replicas name', () => {
    for (const which of ['lost', 'expired'] as const) {
      const { gateway, forward, submit, lead, taken, ...all } = executed()
      for (const leader of [2, 3, null]) {
        lead(leader)
        expect(forward(all[which]), which).toBe(false)
      }
      gateway.poolChanged = false
      submit(7, all[which])
      gateway.endTurn()
      expect(gateway.poolChanged).toBe(false)
      const response = taken().find(({ response: { kind } }) => kind === 'opened' || kind === 'replies')!.response
      const reply = response.kind === 'replies' ? response.replies[0]! : response
      if ('kind' in reply) expect(reply).toMatchObject({ height: 20, index: 0 })
      else expect(reply).toMatchObject({ number: 1, height: 1, index: 0 })
    }
  })

  it('and is known in the order alone is taken by who leads, and watched by nobody else', () => {
    const { gateway, executor, forward, lead, alive, kept } = executed()
    for (let number = 3; number < 12; number++)
      gateway.executed(run(executor, operations(1, alive, number, ['x'])), now)
    for (const leader of [3, null]) {
      lead(leader)
      expect(forward(kept)).toBe(false)
    }
    lead(2)
    expect(forward(kept)).toBe(true)
  })

  it('of a read is ordered no second time: it is answered from what is kept', () => {
    const { gateway, forward, submit, lead } = executed()
    for (const leader of [2, 3]) {
      lead(leader)
      expect(forward(readOf(5))).toBe(false)
      submit(7, readOf(5))
      expect(gateway.poolChanged).toBe(false)
    }
  })

  it('and is new is taken by everybody', () => {
    const { forward, alive, lead } = executed()
    lead(3)
    expect(forward(operations(1, alive, 1, ['a', 'b', 'c']))).toBe(true)
    expect(forward(readOf(6))).toBe(true)
    expect(forward(open(3, 1, 33))).toBe(true)
  })

  it('of a read is ordered again by who leads, for a member that hands it on a second later: he has skipped its block', () => {
    const { forwardAfter, lead, executes } = executed()
    const later = (ms: number): boolean => forwardAfter(ms, readOf(5))
    lead(2)
    expect(later(readAgainMs)).toBe(false)
    lead(3)
    expect(later(readAgainMs + 1)).toBe(false)
    lead(2)
    expect(later(readAgainMs + 1)).toBe(true)
    // Until it has been executed once more.
    executes(readOf(5))
    expect(later(readAgainMs)).toBe(false)
  })

  it('of reads is remembered for so many', () => {
    const { gateway, executor, forward, lead } = executed({ executedReadsMax: 2 })
    lead(3)
    gateway.executed(run(executor, readOf(6), readOf(5)), now)
    expect([5, 6].map((nonce) => forward(readOf(nonce)))).toEqual([false, false])
    gateway.executed(run(executor, readOf(7)), now)
    expect([5, 7].map((nonce) => forward(readOf(nonce)))).toEqual([false, false])
    expect(forward(readOf(6))).toBe(true)
  })
})

describe('what waits here', () => {
  it('is over when its numbers were executed in other envelopes, or nobody could ever have executed it', () => {
    const { executor, submit, executes, pool } = bench()
    const session = openSession(executor, 1, 1)
    const both = operations(1, session, 1, ['a', 'b'])
    submit(7, both, operations(1, session, 2, ['x']), operations(1, session, 2, ['b', 'c']))
    expect(pool.knownOperations).toBe(5)
    executes(operations(1, session, 1, ['a']))
    expect(pool.knownOperations).toBe(5)
    executes(cancel(1, session, 2, 1))
    // A cancelled number stands for whatever was meant by it; the other is executed in part only.
    expect(pool.knownOperations).toBe(2)
    executes(operations(1, session, 2, ['b', 'c']))
    expect(pool.knownOperations).toBe(0)
    expect(pool.oldestWaitingSinceMs()).toBeNull()
    // A leader that lies may order anything.
    const senseless = operations(1, session, 0, ['x'])
    pool.add(encode(envelopeCodec, senseless), senseless, 1)
    executes(senseless)
    expect(pool.knownOperations).toBe(0)
  })
})

describe('a session’s replies', () => {
  it('go to its own client, whoever else names the session', () => {
    const { gateway, executor, submit, executes, taken } = bench()
    const session = openSession(executor, 1, 1)
    const own = operations(1, session, 1, ['a'])
    submit(7, own)
    submit(8, operations(2, session, 1, ['a']))
    executes(own, operations(2, session, 1, ['a']))
    gateway.endTurn()
    const told = taken().map(({ to, response }) => [to, response.kind === 'replies' && response.replies.length])
    expect(told).toEqual([
      [7, 1],
      [8, 1],
    ])
  })
})

describe('replies', () => {
  it('of one turn leave as one message for each connection', () => {
    const { gateway, executor, submit, executes, taken } = bench()
    const sessions = [openSession(executor, 1, 1), openSession(executor, 2, 1), openSession(executor, 3, 1)]
    const envelopes = sessions.map((session, index) => operations(index + 1, session, 1, ['a', 'b']))
    submit(7, envelopes[0]!, envelopes[1]!)
    submit(8, envelopes[2]!)
    executes(envelopes[0]!)
    executes(envelopes[1]!, envelopes[2]!)
    expect(taken()).toEqual([])
    gateway.endTurn()
    const messages = taken().map(({ to, response }) => [to, response.kind === 'replies' && response.replies.length])
    expect(messages).toEqual([
      [7, 4],
      [8, 2],
    ])
    gateway.endTurn()
    expect(taken()).toEqual([])
  })

  it('of one turn are parted where a message would become too large, and none is lost or cut', () => {
    const { gateway, executor, submit, taken } = bench()
    const session = openSession(executor, 1, 1)
    submit(7, operations(1, session, 1, ['a']))
    // Up to two megabytes, and not one byte more.
    const sizes = [mib - 1, mib, 1, mib, mib, 5, mib, mib - 5, 1]
    const replies = sizes.map((size, index) => {
      const outcome = new Uint8Array(size).fill(index)
      return { kind: 'operation', client: clientKey(1), session, number: index + 1, height: 2, index, outcome }
    })
    gateway.executed({ ...run(executor), replies } as unknown as ExecutedBlock, now)
    gateway.endTurn()
    const messages = taken().map(({ response }) =>
      response.kind === 'replies' ? response.replies.map(({ number, outcome }) => [number, outcome.length]) : [],
    )
    expect(messages).toEqual([
      [
        [1, mib - 1],
        [2, mib],
        [3, 1],
      ],
      [
        [4, mib],
        [5, mib],
      ],
      [
        [6, 5],
        [7, mib],
        [8, mib - 5],
      ],
      [[9, 1]],
    ])
  })

  it('go where a session was last heard from, and the one longest silent is forgotten', () => {
    const { submit, executes, taken } = bench({ routesMax: 2 })
    submit(7, open(1, 1), open(2, 1))
    submit(8, open(1, 1))
    submit(7, open(3, 1))
    executes(open(1, 1), open(2, 1), open(3, 1))
    const opened = taken().map(({ to, response }) => [to, response.kind === 'opened' && response.client[0]])
    expect(opened).toEqual([
      [8, 1],
      [7, 3],
    ])
  })
})

describe('a connection that closed', () => {
  it('is sent nothing more, and what it knew is forgotten', () => {
    const { gateway, reads, submit, query, executes, taken } = bench()
    submit(7, open(1, 1))
    query(7, 40)
    gateway.closed(7)
    executes(open(1, 1))
    gateway.readReady(reads[0]!, 1)
    expect(taken()).toEqual([])
  })

  it('does not take along what another connection has taken over', () => {
    const { gateway, submit, executes, taken } = bench()
    submit(7, open(1, 1))
    submit(8, open(1, 1))
    gateway.closed(7)
    executes(open(1, 1))
    expect(taken().map(({ to }) => to)).toEqual([8])
  })
})

describe('a hint', () => {
  it('tells who submits to a follower who leads: once for each leader, and never that this replica does', () => {
    const { gateway, submit, lead, taken } = bench()
    const hints = (): unknown[] => {
      submit(7, open(1, 1))
      gateway.endTurn()
      return taken().map(({ to, response }) => [to, response])
    }
    expect(hints()).toEqual([])
    lead(3)
    expect(hints()).toEqual([[7, { kind: 'hint', leader: 3 }]])
    expect(hints()).toEqual([])
    lead(null)
    expect(hints()).toEqual([])
    lead(1)
    expect(hints()).toEqual([[7, { kind: 'hint', leader: 1 }]])
  })

  it('names nobody where leaders take turns, and neither does a refusal', () => {
    const { gateway, submit, query, reads, lead, taken } = bench({}, 100, true)
    lead(3)
    submit(7, open(1, 1))
    gateway.endTurn()
    expect(taken()).toEqual([])
    submit(7, { ...open(1, 2), client: new Uint8Array(32).fill(66) })
    query(7, 1)
    gateway.readFailed(reads[0]!, 'not-leader')
    expect(taken().map(({ response }) => response)).toMatchObject([
      { kind: 'refused', leader: null },
      { kind: 'unanswered', leader: null },
    ])
  })
})
