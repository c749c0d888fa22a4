// Exactly once: every sentence of the rules for sessions, one after the other. C44, R9, R17, R18.

import { describe, expect, it } from 'vitest'
import { certaintyOf, refusalCertainty, type Outcome, type RefusalCode } from '../../src/kernel/outcome.ts'
import {
  blockOf,
  cancel,
  clientKey,
  close,
  createExecutor,
  open,
  openSession,
  operationReplies,
  operations,
  outcome,
  run,
  sessionParameters,
  text,
  word,
  words,
} from './fixtures.ts'
import type { Executor } from '../../src/execution/executor.ts'

const { lifetimeHeights, repliesKept, perClientMax, totalMax } = sessionParameters

function pass(executor: Executor, heights: number): void {
  for (let height = 0; height < heights; height++) run(executor)
}

/** How many operations were executed in all: what the log machine counts. */
function executedCount(executor: Executor): number {
  return Number(word(executor.query(text(''))))
}

describe('opening', () => {
  it('names the session by height and index of the opening', () => {
    const executor = createExecutor()
    run(executor)
    const executed = run(executor, text('garbage'), open(1, 1, 1), open(2, 1, 1))
    expect(executed.replies.map((reply) => outcome(reply.outcome))).toEqual([
      { kind: 'opened', session: { height: 2, index: 1 } },
      { kind: 'opened', session: { height: 2, index: 2 } },
    ])
    expect(executed.replies[1]).toMatchObject({ kind: 'opening', client: clientKey(2), height: 2, index: 2 })
  })

  // R17
  it('of a copy returns the same session, and neither evicts nor resets it', () => {
    const executor = createExecutor()
    const opening = open(1, 1)
    const first = run(executor, opening).replies[0]!
    const session = { height: 1, index: 0 }
    run(executor, operations(1, session, 1, ['a', 'b']))
    const copy = run(executor, opening, opening)
    expect(copy.replies.map((reply) => [reply.outcome, reply.height, reply.index])).toEqual([
      [first.outcome, 1, 0],
      [first.outcome, 1, 0],
    ])
    expect(copy.leaves.length).toBe(0)
    expect(executor.sessionCount).toBe(1)
    expect(words(run(executor, operations(1, session, 1, ['a', 'b', 'c'])))).toEqual([
      '1: 1 again',
      '2: 2 again',
      '3: 3',
    ])
  })

  it('is void H heights above its reference height, and not one earlier', () => {
    const executor = createExecutor()
    pass(executor, lifetimeHeights - 1)
    expect(words(run(executor, open(1, 1, 0)))).toEqual(['opening: opened'])
    expect(words(run(executor, open(1, 2, 0)))).toEqual(['opening: OpeningExpired'])
  })

  it('is refused when its reference height is not below its own: it would not age', () => {
    const executor = createExecutor()
    expect(words(run(executor, open(1, 1, 1), open(1, 1, 1000)))).toEqual([
      'opening: OpeningEarly',
      'opening: OpeningEarly',
    ])
    expect(words(run(executor, open(1, 1, 1)))).toEqual(['opening: opened'])
  })

  it('is refused over the quota of a client, and when the table is full; nobody loses a session for it', () => {
    const executor = createExecutor()
    const own = Array.from({ length: perClientMax }, (_, index) => open(1, index))
    expect(words(run(executor, ...own, open(1, 99))).at(-1)).toBe('opening: ClientQuotaExceeded')
    const others = Array.from({ length: totalMax - perClientMax }, (_, index) => open(2 + index, 1))
    expect(words(run(executor, ...others, open(50, 1))).at(-1)).toBe('opening: SessionTableFull')
    expect(executor.sessionCount).toBe(totalMax)
  })
})

describe('eviction', () => {
  it('takes a session idle for H heights, and not one earlier', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    pass(executor, lifetimeHeights - 1)
    expect(words(run(executor, operations(1, session, 1, ['a'])))).toEqual(['1: 1'])
    pass(executor, lifetimeHeights)
    expect(words(run(executor, operations(1, session, 2, ['b'])))).toEqual(['2: SessionExpired'])
    expect(executor.sessionCount).toBe(0)
  })

  it('is not put off by copies of what was executed before, nor by what does nothing', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const envelope = operations(1, session, 1, ['a'])
    run(executor, envelope)
    for (let height = 0; height < lifetimeHeights; height++) run(executor, envelope, operations(1, session, 9, ['x']))
    expect(words(run(executor, envelope))).toEqual(['1: SessionExpired'])
    expect(executedCount(executor)).toBe(1)
  })
})

describe('operations', () => {
  // C44
  it('are executed once, however often they come; a copy gets the stored reply', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const envelope = operations(1, session, 1, ['a', 'b'])
    const first = run(executor, envelope, envelope)
    expect(words(first)).toEqual(['1: 1', '2: 2', '1: 1 again', '2: 2 again'])
    const again = operationReplies(run(executor, envelope))
    const fresh = operationReplies(first).slice(0, 2)
    expect(again.map((reply) => reply.fresh)).toEqual([false, false])
    for (const reply of again) reply.fresh = true
    expect(again).toEqual(fresh)
    expect(executedCount(executor)).toBe(2)
  })

  it('behind a gap do nothing, and are executed when the gap is filled', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const later = operations(1, session, 3, ['c'])
    expect(words(run(executor, later))).toEqual(['3: OutOfOrder'])
    expect(executedCount(executor)).toBe(0)
    expect(words(run(executor, operations(1, session, 1, ['a', 'b']), later))).toEqual(['1: 1', '2: 2', '3: 3'])
  })

  it('that overlap execute only what has not been executed', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a', 'b']))
    expect(words(run(executor, operations(1, session, 2, ['b', 'c'])))).toEqual(['2: 2 again', '3: 3'])
  })

  it('under a number that another operation has consumed are refused', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a']))
    expect(words(run(executor, operations(1, session, 1, ['other', 'b'])))).toEqual(['1: SequenceReused', '2: 2'])
    expect(executedCount(executor)).toBe(2)
  })

  it('older than the last W are known to be consumed, and no more', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const contents = Array.from({ length: repliesKept + 2 }, (_, index) => `op ${index}`)
    run(executor, operations(1, session, 1, contents))
    const again = words(run(executor, operations(1, session, 1, contents)))
    expect(again.slice(0, 3)).toEqual(['1: ReplyEvicted', '2: ReplyEvicted', '3: 3 again'])
    expect(executedCount(executor)).toBe(repliesKept + 2)
  })

  it('whose replies are acknowledged are forgotten; what is not executed cannot be acknowledged', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a', 'b', 'c']))
    run(executor, operations(1, session, 4, ['d'], 2))
    expect(words(run(executor, operations(1, session, 1, ['a', 'b', 'c'])))).toEqual([
      '1: ReplyEvicted',
      '2: ReplyEvicted',
      '3: 3 again',
    ])
    // An acknowledgement of the future, and one that a gap makes void.
    run(executor, operations(1, session, 5, ['e'], 1000), operations(1, session, 9, ['x'], 5))
    expect(words(run(executor, operations(1, session, 5, ['e'])))).toEqual(['5: 5 again'])
  })

  it('of another key are refused, and leave the session alone', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    expect(words(run(executor, operations(2, session, 1, ['a']), cancel(2, session, 1, 1), close(2, session)))).toEqual(
      ['1: WrongClient', '1: WrongClient', '0: WrongClient'],
    )
    expect(words(run(executor, operations(1, session, 1, ['a'])))).toEqual(['1: 1'])
  })

  it('of a session that is not there yet may be executed when it is', () => {
    const executor = createExecutor()
    const early = operations(1, { height: 2, index: 0 }, 1, ['a'])
    expect(words(run(executor, early))).toEqual(['1: SessionExpired'])
    run(executor, open(1, 1, 1))
    expect(words(run(executor, early))).toEqual(['1: 1'])
  })
})

describe('cancelling', () => {
  it('consumes numbers, so that what bore them never happens', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const late = operations(1, session, 1, ['a', 'b', 'c'])
    expect(words(run(executor, cancel(1, session, 1, 2)))).toEqual(['1: cancelled', '2: cancelled'])
    expect(words(run(executor, late))).toEqual(['1: cancelled again', '2: cancelled again', '3: 1'])
    expect(executedCount(executor)).toBe(1)
  })

  it('says of numbers that were executed what came of them', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a', 'b']))
    expect(words(run(executor, cancel(1, session, 1, 3)))).toEqual(['1: 1 again', '2: 2 again', '3: cancelled'])
    expect(words(run(executor, cancel(1, session, 1, 3)))).toEqual(['1: 1 again', '2: 2 again', '3: cancelled again'])
  })

  it('says of numbers that are known no more that they are, and behind a gap does nothing', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a', 'b', 'c']))
    run(executor, operations(1, session, 4, ['d'], 2))
    expect(words(run(executor, cancel(1, session, 1, 4)))).toEqual(['1: ReplyEvicted', '3: 3 again', '4: 4 again'])
    expect(words(run(executor, cancel(1, session, 6, 1)))).toEqual(['6: OutOfOrder'])
  })

  it('costs one leaf and one record however many numbers it has, and a bounded number of replies a block', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const cancels = Array.from({ length: 100 }, (_, index) => cancel(1, session, index * 1000 + 1, 1000))
    const executed = run(executor, ...cancels)
    expect(executed.leaves.length).toBe(100)
    expect(executed.replies.length).toBe(65_536)
    expect(words(run(executor, operations(1, session, 100_001, ['a'])))).toEqual(['100001: 1'])
  })
})

describe('closing', () => {
  it('ends the session; no copy of its opening opens it again, and a new opening opens another', () => {
    const executor = createExecutor()
    run(executor)
    const opening = open(1, 1, 1)
    run(executor, opening)
    const session = { height: 2, index: 0 }
    const envelope = operations(1, session, 1, ['a'])
    expect(words(run(executor, envelope, close(1, session)))).toEqual(['1: 1', '0: closed'])
    expect(words(run(executor, opening, envelope, close(1, session)))).toEqual([
      'opening: OpeningExpired',
      '1: SessionExpired',
      '0: SessionExpired',
    ])
    expect(words(run(executor, open(1, 2, 0)))).toEqual(['opening: OpeningExpired'])
    expect(words(run(executor, open(1, 3, 2)))).toEqual(['opening: opened'])
    expect(executedCount(executor)).toBe(1)
  })

  it('leaves the quota to new sessions, and does not disturb those that are open', () => {
    const executor = createExecutor()
    const other = openSession(executor, 1, 200)
    for (let round = 1; round <= 3 * perClientMax; round++) {
      const session = openSession(executor, 1, round)
      expect(words(run(executor, close(1, session)))).toEqual(['0: closed'])
    }
    expect(words(run(executor, open(1, 200, 0)))).toEqual(['opening: opened'])
    expect(words(run(executor, operations(1, other, 1, ['a'])))).toEqual(['1: 1'])
  })

  it('leaves one number for each client, which counts until it is superfluous', () => {
    const executor = createExecutor()
    for (let client = 1; client <= totalMax; client++) run(executor, close(client, openSession(executor, client, 1)))
    expect(executor.sessionCount).toBe(0)
    expect(words(run(executor, open(90, 1, executor.height)))).toEqual(['opening: SessionTableFull'])
    while (executor.height % 256 !== 0) run(executor)
    expect(words(run(executor, open(90, 1, executor.height)))).toEqual(['opening: opened'])
  })
})

describe('certainty', () => {
  // R18. Why each is what it is stands with the table in kernel/outcome.ts.
  it('is definite only where no copy can be, or can have been, executed', () => {
    const definite: RefusalCode[] = [
      'MalformedPayload',
      'MalformedEnvelope',
      'InvalidCommand',
      'SequenceReused',
      'WrongClient',
      'InvalidQuery',
    ]
    const found = Object.entries(refusalCertainty).filter(([, certainty]) => certainty === 'definite')
    expect(found.map(([code]) => code).toSorted()).toEqual(definite.toSorted())
  })

  it('of outcomes: a cancelled or failed operation never happens, an executed one is no failure', () => {
    const certainties: [Outcome, string | null][] = [
      [{ kind: 'executed', result: text('') }, null],
      [{ kind: 'opened', session: { height: 1, index: 0 } }, null],
      [{ kind: 'closed' }, null],
      [{ kind: 'operation-failed' }, 'definite'],
      [{ kind: 'cancelled' }, 'definite'],
      [{ kind: 'refused', code: 'OutOfOrder' }, 'indefinite'],
    ]
    for (const [value, certainty] of certainties) expect(certaintyOf(value)).toBe(certainty)
  })
})

// R9: whether an envelope is well-formed is a matter of its bytes; everything that asks the state is refused in execution.
it('an envelope of a key that nobody has heard of is as well-formed as any', () => {
  const executed = createExecutor().execute(blockOf(1, [operations(77, { height: 9, index: 9 }, 1, ['a'])]))
  expect(executed.envelopes.length).toBe(1)
  expect(words(executed)).toEqual(['1: SessionExpired'])
})
