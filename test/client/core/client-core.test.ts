// The client against replicas that are slow, silent, full or gone.

import { describe, expect, it } from 'vitest'
import { earlierQuestionsMax } from '../../../src/client/core/client-reads.ts'
import { clientLimitsDefault } from '../../../src/client/core/client-core.ts'
import { envelopeOperationsMax, operationBytesMax } from '../../../src/kernel/limits.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { envelopes, executed, opening, operationsIn, Scripted, sessionId, words } from './scripted.ts'

const refused = { kind: 'refused', code: 'OutOfOrder' } as const

describe('numbers', () => {
  it('share an envelope in one turn, and go on without a gap when operations are abandoned', () => {
    const client = new Scripted().open()
    client.submit('a')
    const left = client.submit('b')
    const [first] = operationsIn(client.turn())
    expect([first!.firstNumber, first!.operations.length]).toEqual([1, 2])
    client.core.abandon(left, 'ERR_DEADLINE', 'late')
    const never = client.submit('c')
    client.core.abandon(never, 'ERR_DEADLINE', 'late')
    client.submit('d')
    const [second] = operationsIn(client.turn())
    expect([second!.firstNumber, second!.operations.length, second!.acknowledgedNumber]).toEqual([3, 1, 0])
    expect(words(client.settled)).toEqual(['ERR_DEADLINE indefinite', 'ERR_DEADLINE definite'])
    client.replies(1, 2, 'b')
    expect(client.settled).toHaveLength(2)
    client.replies(1, 3, 'd')
    client.replies(1, 1, 'a')
    client.submit('e')
    expect(operationsIn(client.turn())[0]).toMatchObject({ firstNumber: 4, acknowledgedNumber: 3 })
    expect(words(client.settled).slice(2)).toEqual(['ok d', 'ok a'])
    expect(client.core.underWay).toBe(1)
  })

  it('under way are never more than replicas keep replies for', () => {
    const client = new Scripted({ repliesKept: 8 }).open()
    for (let command = 1; command <= 20; command++) client.submit(`${command}`)
    expect(operationsIn(client.turn()).map((envelope) => envelope.firstNumber)).toEqual([1, 3, 5, 7])
    // All but the first come back: the second of the first envelope still needs its reply to be kept.
    for (let number = 2; number <= 8; number++) client.replies(1, number, 'done')
    expect(operationsIn(client.turn())).toEqual([])
    client.replies(1, 1, 'done')
    expect(operationsIn(client.turn())).toHaveLength(4)
  })

  it('of one envelope are at most as many as an envelope holds', () => {
    const limits = { ...clientLimitsDefault, operationsMax: 5000 }
    const client = new Scripted({ repliesKept: 65_536, limits }).open()
    for (let command = 0; command < 2000; command++) client.submit('x')
    expect(operationsIn(client.turn()).map((envelope) => envelope.operations.length)).toEqual([
      envelopeOperationsMax,
      2000 - envelopeOperationsMax,
    ])
  })
})

describe('what has no answer', () => {
  it('goes out again with the same bytes, to somebody else, and later each time', () => {
    const client = new Scripted().open()
    client.submit('a')
    const first = client.turn()[0]!
    const start = client.nowMs
    const second = client.next()[0]!
    expect(second.request).toEqual(first.request)
    expect(second.to).not.toBe(first.to)
    expect(client.nowMs - start).toBeGreaterThanOrEqual(1000)
    const before = client.nowMs
    client.next()
    expect(client.nowMs - before).toBeGreaterThanOrEqual(2000)
  })

  it('takes with it the envelopes before, which it may be waiting for', () => {
    const client = new Scripted().open()
    client.submit('a')
    client.turn()
    client.submit('b')
    client.turn()
    client.replies(1, 2, refused)
    expect(operationsIn(client.next()).map((envelope) => envelope.firstNumber)).toEqual([1, 2])
  })

  it('is sent less and less often while it comes too early', () => {
    const client = new Scripted().open()
    client.submit('a')
    client.turn()
    const start = client.nowMs
    for (let round = 0; round < 12; round++) {
      client.replies(1, 1, refused)
      client.replies(1, 1, refused)
      expect(operationsIn(client.next())).toHaveLength(1)
    }
    expect(client.nowMs - start).toBeGreaterThan(5000)
  })

  it('goes out at once when its replica is gone, and to it alone that is left', () => {
    const client = new Scripted({}, [1, 2]).open()
    client.submit('a')
    const { to } = client.turn()[0]!
    client.core.disconnected(to as never, client.nowMs)
    const again = client.turn()
    expect(again.map((one) => one.to)).toEqual([3 - to])
    client.core.disconnected((3 - to) as never, client.nowMs)
    expect(client.core.dueMs).toBeNull()
    expect(client.turn(60_000)).toEqual([])
    client.core.connected(3 as never, client.nowMs)
    expect(client.turn().map((one) => one.to)).toEqual([3])
  })

  it('cannot be put off for ever by refusals, nor for long by one', () => {
    const client = new Scripted().open()
    client.submit('a')
    const { to } = client.turn()[0]!
    const refusal = { kind: 'refused', reason: 'overloaded', retryAfterMs: 4_000_000_000, leader: null } as const
    client.says(to, refusal)
    const due = client.core.dueMs!
    expect(due - client.nowMs).toBeLessThanOrEqual(clientLimitsDefault.retryMsMax)
    client.nowMs += 500
    client.says(to, refusal)
    expect(client.core.dueMs).toBe(due)
    const again = client.next()
    expect(again).toHaveLength(1)
    expect(again[0]!.to).not.toBe(to)
  })
})

describe('an opening', () => {
  it('keeps its nonce through retries, new connections and refusals for want of room', () => {
    const client = new Scripted({}, [1])
    client.submit('a')
    const { nonce } = opening(client.turn())
    client.core.connected(2 as never, client.nowMs)
    expect(client.turn()).toEqual([])
    expect(opening(client.next()).nonce).toEqual(nonce)
    client.opened(1, nonce, { kind: 'refused', code: 'ClientQuotaExceeded' })
    expect(client.turn()).toEqual([])
    expect(opening(client.next()).nonce).toEqual(nonce)
    client.opened(1, nonce)
    expect(operationsIn(client.turn())).toHaveLength(1)
  })

  it('that is too old is followed at once by one of the height learnt', () => {
    const client = new Scripted()
    client.submit('a')
    const { nonce } = opening(client.turn())
    client.opened(1, nonce, { kind: 'refused', code: 'OpeningExpired' }, 5000)
    const next = opening(client.turn())
    expect(next.referenceHeight).toBe(5000)
    expect(next.nonce).not.toEqual(nonce)
    client.opened(1, nonce)
    expect(client.turn()).toEqual([])
  })
})

describe('a lost session', () => {
  it('leaves open what had left, and takes what had not into the next', () => {
    const client = new Scripted({ repliesKept: 1 }).open()
    client.submit('left')
    client.submit('waits')
    client.turn()
    client.replies(1, 1, { kind: 'refused', code: 'SessionExpired' })
    expect(words(client.settled)).toEqual(['ERR_SESSION_EXPIRED indefinite'])
    client.opened(1, opening(client.turn()).nonce, { kind: 'opened', session: { height: 20, index: 1 } }, 20)
    const [envelope] = operationsIn(client.turn())
    expect(envelope).toMatchObject({ session: { height: 20, index: 1 }, firstNumber: 1, acknowledgedNumber: 0 })
    client.replies(1, 1, 'of the old session')
    expect(client.settled).toHaveLength(1)
  })
})

describe('agreed outcomes', () => {
  it.each([
    [{ kind: 'operation-failed' }, 'ERR_OPERATION_FAILED definite'],
    [{ kind: 'cancelled' }, 'ERR_SEQUENCE_REUSED definite'],
    [{ kind: 'refused', code: 'InvalidCommand' }, 'ERR_INVALID_COMMAND definite'],
    [{ kind: 'refused', code: 'SequenceReused' }, 'ERR_SEQUENCE_REUSED definite'],
    [{ kind: 'refused', code: 'ReplyEvicted' }, 'ERR_REPLY_EVICTED indefinite'],
    [{ kind: 'refused', code: 'SessionExpired' }, 'ERR_SESSION_EXPIRED indefinite'],
    [{ kind: 'refused', code: 'OpeningExpired' }, 'ERR_SESSION_EXPIRED indefinite'],
    [{ kind: 'opened', session: { height: 1, index: 0 } }, 'ERR_SESSION_EXPIRED indefinite'],
    [{ kind: 'closed' }, 'ERR_SESSION_EXPIRED indefinite'],
  ] as const)('%j means %s', (outcome, expected) => {
    const client = new Scripted().open()
    client.submit('a')
    client.turn()
    client.replies(1, 1, outcome)
    expect(words(client.settled)).toEqual([expected])
    expect(client.core.underWay).toBe(0)
  })
})

describe('an envelope that waits', () => {
  it('leaves again the later, the longer answers have taken of late', () => {
    const client = new Scripted().open()
    const pauseMs = (): number => client.core.dueMs! - client.nowMs
    for (let number = 1; number <= 40; number++) {
      client.submit('slow')
      client.turn()
      if (number === 1) expect(pauseMs()).toBeLessThanOrEqual(1_250)
      client.nowMs += 900
      client.replies(1, number, 'done')
    }
    client.submit('after them')
    client.turn()
    expect(pauseMs()).toBeGreaterThanOrEqual(1_750)
    expect(pauseMs()).toBeLessThanOrEqual(1_800 * 1.25)
  })

  it('has time for its bytes the second time too', () => {
    const client = new Scripted().open()
    client.core.submit(new Uint8Array(1024 * 1024), () => {})
    client.turn()
    expect(operationsIn(client.next())).toHaveLength(1)
    expect(client.core.dueMs! - client.nowMs).toBeGreaterThanOrEqual(2 * (1_000 + 256))
  })

  it('has no more than a second with the primary alone, however long answers take', () => {
    const client = new Scripted({ repliesNeeded: 2 }, [1, 2, 3, 4]).open()
    for (const replica of [1, 2, 3]) client.says(replica, { kind: 'hint', leader: 1 as ReplicaId })
    for (let number = 1; number <= 40; number++) {
      client.submit('slow')
      client.turn()
      client.nowMs += 3_000
      for (const replica of [1, 2]) client.replies(replica, number, 'done')
    }
    client.submit('to the primary')
    expect(client.turn().map(({ to }) => to)).toEqual([1])
    expect(client.core.dueMs! - client.nowMs).toBe(clientLimitsDefault.retryMsMin)
  })

  it('has time for all the bytes that are under way, where it went to the primary alone too', () => {
    const client = new Scripted({ repliesNeeded: 2 }, [1, 2, 3, 4]).open()
    for (const replica of [1, 2, 3]) client.says(replica, { kind: 'hint', leader: 1 as ReplicaId })
    client.submit('to all at first')
    client.turn()
    for (const replica of [1, 2]) client.replies(replica, 1, 'done')
    client.submit('small')
    expect(client.turn().map(({ to }) => to)).toEqual([1])
    expect(client.core.dueMs! - client.nowMs).toBe(250)
    client.core.submit(new Uint8Array(1024 * 1024), () => {})
    client.turn()
    const large = client.nowMs
    client.replies(1, 2, 'done')
    client.replies(2, 2, 'done')
    expect(client.core.dueMs! - large).toBe(250 + 256)
  })
})

describe('a read', () => {
  it('is asked again elsewhere, less and less often, and answered once', () => {
    const client = new Scripted()
    client.query()
    let sent = client.turn()
    const start = client.nowMs
    for (let round = 0; round < 10; round++) {
      const { to, request } = sent[0]!
      if (request.kind !== 'reads') throw new Error('no read')
      client.says(to, { kind: 'reads-unanswered', nonce: request.nonce, reason: 'no-quorum', leader: null })
      sent = client.next()
      expect(sent).toHaveLength(1)
      expect(sent[0]!.to).not.toBe(to)
    }
    expect(client.nowMs - start).toBeGreaterThan(3000)
  })

  it('waits for one that is silent as if he were the first, however many have said that they cannot', () => {
    const client = new Scripted()
    client.query()
    let sent = client.turn()
    for (let round = 0; round < 10; round++) {
      const { to, request } = sent[0]!
      if (request.kind !== 'reads') throw new Error('no read')
      client.says(to, { kind: 'reads-unanswered', nonce: request.nonce, reason: 'not-leader', leader: null })
      sent = client.next()
    }
    const start = client.nowMs
    expect(client.next()).toHaveLength(1)
    expect(client.nowMs - start).toBeLessThan(2 * clientLimitsDefault.retryMsMin)
    // And now he is the second in a row.
    const again = client.nowMs
    expect(client.next()).toHaveLength(1)
    expect(client.nowMs - again).toBeGreaterThanOrEqual(2 * clientLimitsDefault.retryMsMin)
  })

  it('shares its message with the others of its turn, and each has its own answer', () => {
    const client = new Scripted()
    for (let count = 0; count < 300; count++) client.query()
    const sent = client.turn()
    expect(sent.map(({ request }) => request.kind === 'reads' && request.reads.length)).toEqual([256, 44])
    const ids = new Set<number>()
    for (const { to, request } of sent) {
      if (request.kind !== 'reads') throw new Error('no read')
      const answers = request.reads.map(({ id }) => ({ id, answer: executed(`answer ${id}`) }))
      client.says(to, { kind: 'answers', nonce: request.nonce, stated: 7, height: 7, answers })
      for (const { id } of request.reads) ids.add(id)
    }
    expect(ids.size).toBe(300)
    expect(words(client.settled)).toEqual([...ids].map((id) => `ok answer ${id}`))
    expect([client.core.underWay, client.core.dueMs, client.core.knownHeight]).toEqual([0, null, 7])
  })

  it('takes the late answer of one who was too slow', () => {
    const client = new Scripted()
    client.query()
    const { to, request } = client.turn()[0]!
    client.next()
    if (request.kind !== 'reads') throw new Error('no read')
    const answers = [{ id: request.reads[0]!.id, answer: executed('late') }]
    client.says(to, { kind: 'answers', nonce: request.nonce, stated: 7, height: 7, answers })
    expect(words(client.settled)).toEqual(['ok late'])
  })

  it.each([
    [earlierQuestionsMax, ['ok late']],
    [earlierQuestionsMax + 1, []],
  ])('after %d more questions remembers so many, and no more', (questions, settled) => {
    const client = new Scripted()
    client.query()
    const { to, request } = client.turn()[0]!
    if (request.kind !== 'reads') throw new Error('no read')
    for (let count = 0; count < questions; count++) client.next()
    const answers = [{ id: request.reads[0]!.id, answer: executed('late') }]
    client.says(to, { kind: 'answers', nonce: request.nonce, stated: 7, height: 7, answers })
    expect(words(client.settled)).toEqual(settled)
  })

  it('takes no answer to a question of the client that had its connection before', () => {
    const client = new Scripted()
    client.query()
    const { to, request } = client.turn()[0]!
    if (request.kind !== 'reads') throw new Error('no read')
    const answers = [{ id: request.reads[0]!.id, answer: executed('of another key') }]
    client.says(to, { kind: 'answers', nonce: new Uint8Array(16).fill(99), stated: 7, height: 7, answers })
    expect(words(client.settled)).toEqual([])
  })

  it('that is given up certainly changed nothing', () => {
    const client = new Scripted()
    const read = client.query()
    client.turn()
    client.core.abandon(read, 'ERR_ABORTED', 'given up')
    expect(words(client.settled)).toEqual(['ERR_ABORTED definite'])
    expect([client.core.underWay, client.core.dueMs]).toEqual([0, null])
  })
})

describe('limits', () => {
  it('refuse what is too much, for certain, and count what is settled or abandoned no more', () => {
    const client = new Scripted({
      limits: { ...clientLimitsDefault, operationsMax: 2, bytesMax: 2 * operationBytesMax },
    })
    client.core.submit(new Uint8Array(operationBytesMax + 1), (settled) => void client.settled.push(settled))
    const first = client.submit('a')
    client.submit('b')
    client.submit('c')
    expect(words(client.settled)).toEqual(['ERR_MALFORMED definite', 'ERR_OVERLOADED definite'])
    client.core.abandon(first, 'ERR_ABORTED', 'given up')
    client.core.abandon(first, 'ERR_ABORTED', 'given up')
    client.submit('d')
    expect([client.settled.length, client.core.underWay]).toEqual([3, 2])
  })
})

describe('close', () => {
  it('settles each once, says which may have happened, and ends the session', () => {
    const client = new Scripted({ repliesKept: 1 }).open()
    client.submit('left')
    client.submit('waits')
    client.query()
    client.turn()
    client.core.status(1 as never, () => {})
    client.core.close()
    client.core.close()
    expect(words(client.settled)).toEqual(['ERR_CLOSED definite', 'ERR_CLOSED definite', 'ERR_CLOSED indefinite'])
    client.replies(1, 1, 'late')
    client.submit('after')
    expect(words(client.settled).slice(3)).toEqual(['ERR_CLOSED definite'])
    expect([client.core.underWay, client.core.dueMs]).toEqual([0, null])
  })
})

describe('sessions of an earlier life', () => {
  it('are closed before one is opened, once, and a new one is told of', () => {
    const opened: unknown[] = []
    const left = [
      { height: 1, index: 0 },
      { height: 2, index: 1 },
    ]
    const client = new Scripted({ left, opened: (session) => opened.push(session) })
    client.submit('a')
    const sent = envelopes(client.turn())
    expect(sent.map((envelope) => envelope.kind)).toEqual(['close', 'close', 'open'])
    expect(sent.flatMap((envelope) => (envelope.kind === 'close' ? [envelope.session] : []))).toEqual(left)
    client.opened(1, sent.flatMap((envelope) => (envelope.kind === 'open' ? [envelope.nonce] : []))[0]!)
    expect(envelopes(client.turn()).map((envelope) => envelope.kind)).toEqual(['operations'])
    expect(opened).toEqual([sessionId])
  })
})
