// Four replicas of which one lies: what one says alone is believed by nobody.

import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../src/kernel/outcome.ts'
import { envelopes, opening, operationsIn, Scripted, words } from './scripted.ts'

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

describe('a read', () => {
  it('is refused where one answer would have to be believed, and local ones teach no height', () => {
    const client = new Scripted(options, [1, 2, 3, 4])
    client.query('linearizable')
    expect(words(client.settled)).toEqual(['ERR_INVALID_QUERY definite'])
    client.query('local')
    const { request, to } = client.turn()[0]!
    if (request.kind !== 'query') throw new Error('no read')
    client.says(to, { kind: 'answer', id: request.id, height: 2 ** 50, answer: new Uint8Array([1, 0, 0, 0, 0]) })
    expect(client.core.knownHeight).toBe(0)
    expect(client.core.underWay).toBe(0)
  })
})
