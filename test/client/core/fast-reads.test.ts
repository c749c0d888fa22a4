// Fast linearizable reads where one replica of four lies: what is believed, what is not, and when a read is ordered instead.

import { describe, expect, it } from 'vitest'
import { clientLimitsDefault } from '../../../src/client/core/client-core.ts'
import { namedAnewAfter } from '../../../src/client/core/ordered-reads.ts'
import type { ReadEnvelope } from '../../../src/kernel/envelope.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { envelopes, executed, Scripted, words, type Sent } from './scripted.ts'

const options = { repliesNeeded: 2, reads: { kind: 'quorum', quorum: 3 } } as const

interface Asked {
  nonce: Uint8Array
  ids: number[]
}

function reading(count = 1, connected = [1, 2, 3, 4]): Scripted {
  const client = new Scripted(options, connected)
  for (let left = count; left > 0; left--) client.query()
  return client
}

function asked(sent: readonly Sent[]): Asked {
  const { request } = sent[0]!
  if (request.kind !== 'reads') throw new Error('no fast read')
  return { nonce: request.nonce, ids: request.reads.map(({ id }) => id) }
}

function ordered(sent: readonly Sent[]): ReadEnvelope | undefined {
  return envelopes(sent).find((envelope) => envelope.kind === 'read')
}

function bytesOf(sent: readonly Sent[]): Uint8Array[] {
  const { request } = sent[0]!
  if (request.kind !== 'submit') throw new Error('nothing to order')
  return request.envelopes
}

/** Stated, height and result of one replica, for all that was asked. */
function says(
  client: Scripted,
  from: number,
  { nonce, ids }: Asked,
  stated: number,
  height: number,
  result?: string,
): void {
  const answers = result === undefined ? [] : ids.map((id) => ({ id, answer: executed(result) }))
  client.says(from, { kind: 'answers', nonce, stated, height, answers })
}

describe('a fast read', () => {
  it('is asked of all in one message each, and answered by statements of three and equal answers of two', () => {
    const client = reading(3)
    const sent = client.turn()
    expect(sent.map(({ to }) => to)).toEqual([1, 2, 3, 4])
    const question = asked(sent)
    expect(question.ids).toHaveLength(3)
    says(client, 1, question, 7, 7, 'now')
    says(client, 2, question, 7, 7, 'now')
    expect(client.settled).toEqual([])
    says(client, 3, question, 7, 6)
    expect(words(client.settled)).toEqual(['ok now', 'ok now', 'ok now'])
    expect(client.settled[0]).toMatchObject({ height: 7 })
    expect([client.core.underWay, client.core.dueMs, client.core.knownHeight]).toEqual([0, null, 7])
  })

  it('believes nothing below what a quorum has stated: a liar and one that lags are not enough (R3)', () => {
    const client = reading()
    const question = asked(client.turn())
    says(client, 4, question, 0, 6, 'stale')
    says(client, 2, question, 7, 6, 'stale')
    says(client, 3, question, 7, 6)
    expect(client.settled).toEqual([])
    says(client, 3, question, 7, 7, 'now')
    says(client, 1, question, 7, 7, 'now')
    expect(words(client.settled)).toEqual(['ok now'])
  })

  it('is delayed by no absurd statement: the lowest of those that make a quorum count', () => {
    const client = reading()
    const question = asked(client.turn())
    says(client, 4, question, 2 ** 50, 2 ** 50, 'a lie')
    says(client, 1, question, 6, 6, 'before')
    says(client, 2, question, 7, 7, 'now')
    expect(client.settled).toEqual([])
    says(client, 3, question, 7, 7, 'now')
    expect(words(client.settled)).toEqual(['ok now'])
  })

  it.each([
    ['other results', (client: Scripted, question: Asked) => says(client, 2, question, 7, 7, 'other')],
    ['other heights', (client: Scripted, question: Asked) => says(client, 2, question, 7, 8, 'now')],
    ['the same one twice', (client: Scripted, question: Asked) => says(client, 1, question, 7, 7, 'now')],
    [
      'answers to another question',
      (client: Scripted, { ids }: Asked) => says(client, 2, { ids, nonce: new Uint8Array(16) }, 7, 7, 'now'),
    ],
    ['a stranger', (client: Scripted, question: Asked) => says(client, 9, question, 7, 7, 'now')],
  ])('is not answered by one and %s', (_what, lie) => {
    const client = reading()
    const question = asked(client.turn())
    says(client, 1, question, 7, 7, 'now')
    lie(client, question)
    says(client, 3, question, 7, 6)
    says(client, 4, question, 7, 6)
    expect(client.settled).toEqual([])
    says(client, 3, question, 7, 7, 'now')
    expect(words(client.settled)).toEqual(['ok now'])
  })

  it('takes the first word of each, so that nobody tries one answer after another', () => {
    const client = reading()
    const question = asked(client.turn())
    for (const height of [9, 8, 6, 5, 7]) says(client, 4, question, 0, height, `guess ${height}`)
    for (const from of [1, 2]) says(client, from, question, 7, 5)
    says(client, 3, question, 7, 7, 'guess 7')
    expect(client.settled).toEqual([])
  })

  it('says for certain that the state machine refuses it, when two say so', () => {
    const client = reading()
    const { nonce, ids } = asked(client.turn())
    const refused = Uint8Array.of(6, 14)
    for (const from of [1, 2, 3]) {
      expect(client.settled).toEqual([])
      client.says(from, { kind: 'answers', nonce, stated: 1, height: 1, answers: [{ id: ids[0]!, answer: refused }] })
    }
    expect(words(client.settled)).toEqual(['ERR_INVALID_QUERY definite'])
  })

  it('is asked anew at once when all have answered in vain, and then ordered', () => {
    const client = reading()
    const first = asked(client.turn())
    for (const from of [1, 2, 3, 4]) says(client, from, first, from, from, 'now')
    const second = asked(client.turn())
    expect(second.nonce).not.toEqual(first.nonce)
    // What came to the first question says nothing about the second.
    for (const from of [1, 2, 3]) says(client, from, first, 9, 9, 'now')
    expect(client.settled).toEqual([])
    for (const from of [1, 2, 3])
      client.says(from, { kind: 'reads-unanswered', nonce: second.nonce, reason: 'overloaded', leader: null })
    expect(client.turn()).toEqual([])
    client.says(4, { kind: 'reads-unanswered', nonce: second.nonce, reason: 'overloaded', leader: null })
    const sent = client.turn()
    expect(sent.map(({ to }) => to)).toEqual([1, 2, 3, 4])
    expect(ordered(sent)!.queries).toHaveLength(1)
  })

  it('waits for the last of four about as long as for the third', () => {
    const client = reading()
    const question = asked(client.turn())
    client.nowMs += 20
    for (const from of [1, 2, 3]) says(client, from, question, from, from, 'now')
    expect(client.turn()).toEqual([])
    expect(client.core.dueMs! - client.nowMs).toBeLessThanOrEqual(20 + clientLimitsDefault.fastReadSlackMs)
    expect(asked(client.next()).nonce).not.toEqual(question.nonce)
  })

  it('is ordered when too few are there, or are silent', () => {
    expect(ordered(reading(2, [1, 2]).turn())!.queries).toHaveLength(2)
    const client = reading()
    const begunMs = client.nowMs
    client.turn()
    asked(client.next())
    expect(ordered(client.next())).toBeDefined()
    const { fastReadAttemptsMax, fastReadMs } = clientLimitsDefault
    expect(client.nowMs - begunMs).toBe(fastReadAttemptsMax * fastReadMs)
  })

  it('lets go of what it held when it ends, and is ordered when too much is held', () => {
    const client = new Scripted(options, [1, 2, 3, 4])
    const large = 'x'.repeat(900_000)
    for (let round = 0; round < 40; round++) {
      client.query()
      const question = asked(client.turn())
      for (const from of [4, 1, 2]) says(client, from, question, 7, 7, from === 4 ? `${round}${large}` : large)
    }
    expect(client.settled.filter((one) => one.ok)).toHaveLength(40)
    const open: Asked[] = []
    for (let count = 0; count < 40; count++) {
      client.query()
      open.push(asked(client.turn()))
    }
    for (const question of open) for (const from of [1, 2]) says(client, from, question, 7, 7, large)
    for (const question of open) for (const from of [3, 4]) says(client, from, question, 7, 6)
    const fast = client.settled.length - 40
    expect(fast).toBeGreaterThan(10)
    expect(fast).toBeLessThan(20)
  })
})

describe('an ordered read', () => {
  it('is answered by two who say the same of one height, by each replica once', () => {
    const client = reading(2, [1, 2])
    const { nonce } = ordered(client.turn())!
    const answer = (from: number, height: number, ...results: string[]): void => {
      const answers = results.map((result, id) => ({ id, answer: executed(result) }))
      client.says(from, { kind: 'answers', nonce, stated: height, height, answers })
    }
    answer(1, 8, 'first', 'second')
    answer(1, 8, 'first', 'second')
    answer(2, 9, 'first', 'second')
    answer(2, 8, 'first', 'a lie')
    expect(words(client.settled)).toEqual(['ok first'])
    answer(2, 8, 'first', 'second', 'a third')
    expect(words(client.settled)).toEqual(['ok first', 'ok second'])
    expect([client.core.underWay, client.core.dueMs, client.core.knownHeight]).toEqual([0, null, 8])
  })

  it('goes out again as it is, signed once, to whoever comes too', () => {
    let signed = 0
    const sign = (): Uint8Array => new Uint8Array(64).fill(++signed)
    const client = new Scripted({ ...options, signer: { publicKey: new Uint8Array(32), sign } }, [1, 2])
    client.query()
    const first = bytesOf(client.turn())
    expect(first).toHaveLength(1)
    for (let attempt = 1; attempt < namedAnewAfter; attempt++) expect(bytesOf(client.next())).toEqual(first)
    client.core.connected(3 as ReplicaId, client.nowMs)
    const late = client.turn()
    expect(late.map(({ to }) => to)).toEqual([3])
    expect(bytesOf(late)).toEqual(first)
    expect(signed).toBe(1)
  })

  it('has another name when it has left so many times in vain, and twice as many: answers to all its names count', () => {
    const client = new Scripted(options, [1, 2])
    client.query()
    client.query()
    const envelopesOf = (sent: readonly Sent[]): ReadEnvelope => ordered(sent)!
    const left = [envelopesOf(client.turn())]
    // The first is answered before: it is asked for no more.
    for (const from of [1, 2]) says(client, from, { nonce: left[0]!.nonce, ids: [0] }, 4, 4, 'first')
    for (let attempt = 1; attempt < 40; attempt++) left.push(envelopesOf(client.next()))
    const names = left.map(({ nonce }) => nonce[0]!)
    const firsts = names.flatMap((name, attempt) => (name === names[attempt - 1] ? [] : [attempt]))
    expect(firsts).toEqual([
      0,
      namedAnewAfter,
      2 * namedAnewAfter,
      4 * namedAnewAfter,
      8 * namedAnewAfter,
      16 * namedAnewAfter,
    ])
    expect(new Set(names).size).toBe(firsts.length)
    expect(left.at(-1)!.queries.map(({ length }) => length)).toEqual([0, left[0]!.queries[1]!.length])
    says(client, 1, { nonce: left[0]!.nonce, ids: [1] }, 4, 4, 'second')
    says(client, 2, { nonce: left.at(-1)!.nonce, ids: [1] }, 5, 5, 'second')
    expect(words(client.settled)).toEqual(['ok first'])
    says(client, 2, { nonce: left[namedAnewAfter]!.nonce, ids: [1] }, 4, 4, 'second')
    expect(words(client.settled)).toEqual(['ok first', 'ok second'])
    expect(client.core.dueMs).toBeNull()
  })

  it('of which nobody waits any more goes out no more, and an answer to it counts no more', () => {
    const client = new Scripted(options, [1, 2])
    const read = client.query()
    const first = ordered(client.turn())!
    client.core.abandon(read, 'ERR_ABORTED', 'given up')
    expect(words(client.settled)).toEqual(['ERR_ABORTED definite'])
    expect(client.core.dueMs).toBeNull()
    for (const from of [1, 2]) says(client, from, { nonce: first.nonce, ids: [0] }, 4, 4, 'now')
    expect(client.settled).toHaveLength(1)
  })

  it('is what every linearizable read is for a client that hears one replica of several that may lie', () => {
    const client = new Scripted({ reads: { kind: 'ordered' } }, [1])
    client.query()
    const { nonce } = ordered(client.turn())!
    client.says(1, { kind: 'answers', nonce, stated: 4, height: 4, answers: [{ id: 0, answer: executed('now') }] })
    expect(words(client.settled)).toEqual(['ok now'])
  })
})
