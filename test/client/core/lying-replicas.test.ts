// Four replicas of which one lies: what one says alone is believed by nobody.

import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../src/kernel/outcome.ts'
import { clientLimitsDefault } from '../../../src/client/core/client-core.ts'
import { ReplyCount } from '../../../src/client/core/reply-count.ts'
import { wordsOf } from '../../../src/client/core/words.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { envelopes, executed, opening, operationsIn, Scripted, words, type Sent } from './scripted.ts'

const options = { repliesNeeded: 2 }
const liar = 4

describe('an opening', () => {
  it('is opened by two who say the same, not by one who says it twice', () => {
    const client = new Scripted(options, [1, 2, 3, 4])
    client.submit('a')
    const { nonce } = opening(client.turn())
    const lie: Outcome = { kind: 'opened', session: { height: 99, index: 0 } }
    client.opened(liar, nonce, lie, 99)
    client.opened(liar, nonce, lie, 99)
    expect(operationsIn(client.turn())).toEqual([])
    client.opened(1, nonce)
    expect(operationsIn(client.turn())).toEqual([])
    client.opened(2, nonce)
    const sent = client.turn()
    expect(sent.map((one) => one.to)).toEqual([1, 2, 3, 4])
    expect(operationsIn(sent)[0]!.session).toEqual({ height: 3, index: 0 })
  })

  it('is not called too old by one', () => {
    const client = new Scripted(options, [1, 2, 3, 4])
    client.submit('a')
    const { nonce } = opening(client.turn())
    client.opened(liar, nonce, { kind: 'refused', code: 'OpeningExpired' }, 2 ** 50)
    expect(client.core.knownHeight).toBe(0)
    expect(opening(client.next()).nonce).toEqual(nonce)
  })

  it('cannot be put off by one who refuses again and again', () => {
    const client = new Scripted(options, [4, 1, 2, 3])
    client.submit('a')
    client.turn()
    const refusal = { kind: 'refused', reason: 'overloaded', retryAfterMs: 8000, leader: null } as const
    client.says(liar, refusal)
    const due = client.core.dueMs!
    client.nowMs += 7000
    client.says(liar, refusal)
    client.says(liar, refusal)
    expect(client.core.dueMs).toBe(due)
  })
})

describe('an operation', () => {
  it('is answered by two equal replies, whatever one says in between', () => {
    const client = new Scripted(options, [1, 2, 3, 4]).open()
    client.submit('a')
    client.turn()
    client.replies(liar, 1, 'a lie')
    client.replies(liar, 1, 'a lie')
    client.replies(1, 1, 'the truth')
    client.replies(liar, 1, 'another lie')
    client.replies(1, 1, 'the truth')
    client.replies(liar, 1, 'the truth', 10)
    expect(client.settled).toEqual([])
    client.replies(2, 1, 'the truth')
    client.replies(3, 1, 'the truth')
    expect(words(client.settled)).toEqual(['ok the truth'])
  })

  it('is failed, or its session lost, by no one replica', () => {
    const client = new Scripted(options, [1, 2, 3, 4]).open()
    client.submit('a')
    client.turn()
    for (const code of ['SessionExpired', 'InvalidCommand', 'SequenceReused'] as const) {
      client.replies(liar, 1, { kind: 'refused', code })
    }
    expect(client.settled).toEqual([])
    expect(client.core.underWay).toBe(1)
  })

  it('is not touched by numbers never sent, other sessions, strangers, or bytes that are none', () => {
    const client = new Scripted(options, [1, 2, 3, 4]).open()
    client.submit('a')
    client.turn()
    for (const from of [1, 2]) {
      client.replies(from, 2, 'never sent')
      client.replies(from, 0, 'never sent')
      client.replies(from, 1, 'elsewhere', 9, { height: 3, index: 1 })
      client.core.response(from as never, new Uint8Array([1, 2, 3]), client.nowMs)
    }
    client.replies(77, 1, 'a stranger')
    client.replies(78, 1, 'a stranger')
    expect(client.settled).toEqual([])
  })

  it('also goes to a replica that comes while it is under way', () => {
    const client = new Scripted(options, [1, 2, 3]).open()
    client.submit('a')
    const left = client.turn()
    client.core.connected(4 as never, client.nowMs)
    const late = client.turn()
    expect(late.map((one) => one.to)).toEqual([4])
    expect(envelopes(late)).toEqual(envelopes(left.slice(0, 1)))
  })
})

describe('what is new', () => {
  const operationsTo = (sent: readonly Sent[]): number[] =>
    sent.filter((one) => operationsIn([one]).length > 0).map((one) => one.to)

  function settledUnder(primary: number): Scripted {
    const client = new Scripted(options, [1, 2, 3, 4]).open()
    client.submit('a')
    client.turn()
    for (const from of [2, 3]) client.says(from, { kind: 'hint', leader: primary as ReplicaId })
    for (const from of [1, 2]) client.replies(from, 1, 'done')
    return client
  }

  it('goes to the primary alone once two have named it and all know where replies go; then to all', () => {
    const client = settledUnder(1)
    client.submit('b')
    expect(operationsTo(client.turn())).toEqual([1])
    const { nowMs } = client
    expect(operationsTo(client.next())).toEqual([1, 2, 3, 4])
    expect(client.nowMs - nowMs).toBeLessThanOrEqual(clientLimitsDefault.primaryAloneMs)
    // Nothing goes to it alone for a while: it was silent, or the others had forgotten where replies go.
    client.submit('c')
    expect(operationsTo(client.turn())).toEqual([1, 2, 3, 4])
    for (const from of [1, 2]) for (const number of [2, 3]) client.replies(from, number, 'done')
    client.nowMs += clientLimitsDefault.retryMsMax
    client.submit('d')
    expect(operationsTo(client.turn())).toEqual([1])
  })

  it('goes to all where leaders take turns, whoever is named: one message for each voter', () => {
    const client = new Scripted({ ...options, leadersTakeTurns: true }, [1, 2, 3, 4]).open()
    for (const from of [1, 2, 3]) client.says(from, { kind: 'hint', leader: 1 as ReplicaId })
    for (const command of ['a', 'b', 'c']) {
      client.submit(command)
      expect(operationsTo(client.turn())).toEqual([1, 2, 3, 4])
    }
  })

  it('follows no single hint, however often it comes', () => {
    const client = settledUnder(1)
    for (let count = 0; count < 5; count++) client.says(liar, { kind: 'hint', leader: liar as ReplicaId })
    client.submit('b')
    expect(operationsTo(client.turn())).toEqual([1])
  })

  it('reaches those too that have come back, and all when the primary goes', () => {
    const client = settledUnder(1)
    client.core.disconnected(3 as ReplicaId, client.nowMs)
    client.core.connected(3 as ReplicaId, client.nowMs)
    client.submit('b')
    expect(operationsTo(client.turn())).toEqual([1, 3])
    client.submit('c')
    expect(operationsTo(client.turn())).toEqual([1])
    client.core.disconnected(1 as ReplicaId, client.nowMs)
    client.submit('d')
    expect(new Set(operationsTo(client.turn()))).toEqual(new Set([2, 3, 4]))
  })
})

describe('learners', () => {
  it('count for nothing: nobody has said how many of them lie', () => {
    const voters = [1, 2, 3, 4] as ReplicaId[]
    const client = new Scripted({ ...options, voters, replicas: [1, 2, 3, 4, 5, 6] as ReplicaId[] }, [1, 2, 3, 4, 5, 6])
    client.submit('a')
    const sent = client.turn()
    expect(sent.map(({ to }) => to)).toEqual([1, 2, 3, 4])
    const { nonce } = opening(sent)
    for (const learner of [5, 6])
      client.opened(learner, nonce, { kind: 'opened', session: { height: 99, index: 0 } }, 99)
    expect(client.turn()).toEqual([])
    for (const voter of [1, 2]) client.opened(voter, nonce)
    expect(operationsIn(client.turn())[0]!.session).toEqual({ height: 3, index: 0 })
  })
})

describe('a count of equal replies', () => {
  it('holds a hundred bytes of each replica, however much they say', () => {
    let digested = 0
    const hasher = { digest: (bytes: Uint8Array) => (digested++, simulatedHasher.digest(bytes)) }
    const client = new Scripted({ ...options, hasher }, [1, 2, 3, 4]).open()
    client.submit('a')
    client.turn()
    digested = 0
    const large = 'x'.repeat(500_000)
    client.replies(liar, 1, `${large}y`)
    client.replies(1, 1, large)
    expect(client.settled).toEqual([])
    client.replies(2, 1, large)
    expect(words(client.settled)).toEqual([`ok ${large}`])
    expect(digested).toBe(3)
    expect(wordsOf(simulatedHasher, new Uint8Array(1_000_000)).length).toBeLessThan(100)
  })

  it('tells a digest from the same bytes as a reply', () => {
    const long = new Uint8Array(100).fill(1)
    const digest = simulatedHasher.digest(long)
    expect(wordsOf(simulatedHasher, digest)).not.toBe(wordsOf(simulatedHasher, long))
  })

  it('of more than one is not made without a hasher', () => {
    expect(() => new ReplyCount({ repliesNeeded: 2 })).toThrow('option repliesNeeded is 2')
  })
})

describe('a local read', () => {
  it('teaches no height', () => {
    const client = new Scripted(options, [1, 2, 3, 4])
    client.query('local')
    const { request, to } = client.turn()[0]!
    if (request.kind !== 'query') throw new Error('no read')
    client.says(to, { kind: 'answer', id: request.id, height: 2 ** 50, answer: executed('') })
    expect(client.core.knownHeight).toBe(0)
    expect(client.core.underWay).toBe(0)
  })
})
