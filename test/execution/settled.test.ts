// What was executed is told again as execution itself would tell it, place and all; and only where ordering it again would bring nothing else.

import { describe, expect, it } from 'vitest'
import type { Envelope } from '../../src/kernel/envelope.ts'
import type { Executor } from '../../src/execution/executor.ts'
import {
  blockOf,
  cancel,
  clientKey,
  close,
  createExecutor,
  open,
  openSession,
  operations,
  run,
  sessionParameters,
  word,
} from './fixtures.ts'

const { repliesKept, lifetimeHeights } = sessionParameters

/** What settles it is what another block brings, without a leaf: nothing new is agreed on. */
function expectAsExecuted(executor: Executor, envelope: Envelope): void {
  const settled = executor.settled(envelope)
  expect(settled).not.toEqual([])
  const again = run(executor, envelope)
  expect(again.replies).toEqual(settled)
  expect(again.leaves).toEqual([])
}

describe('is told again', () => {
  it('an opening, while its session lives', () => {
    const executor = createExecutor()
    const opening = open(1, 1)
    expect(executor.settled(opening)).toBeNull()
    run(executor, open(2, 1), opening)
    run(executor)
    expectAsExecuted(executor, opening)
    expect(executor.settled(open(1, 2))).toBeNull()
    expect(executor.settled(open(3, 1))).toBeNull()
  })

  it('that its time, or its session, is over, at the place that everybody knows', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const late = open(2, 1, 1)
    run(executor, operations(1, session, 1, ['a']), close(1, session))
    // A floor remains of the session that was closed, and whoever opens below it opens nothing.
    const told = (envelope: Envelope): unknown[] =>
      executor.settled(envelope)!.map(({ height, index, outcome }) => [height, index, word(outcome)])
    expect(told(open(1, 1))).toEqual([[1, 0, 'OpeningExpired']])
    expect(told(operations(1, session, 1, ['a']))).toEqual([[1, 0, 'SessionExpired']])
    expect(told(cancel(1, session, 4, 2))).toEqual([[1, 0, 'SessionExpired']])
    expect(told(close(1, session))).toEqual([[1, 0, 'SessionExpired']])
    expect(run(executor, open(1, 1)).replies.map(({ outcome }) => word(outcome))).toEqual(['OpeningExpired'])
    expect(executor.settled(late)).toBeNull()
    while (executor.height <= lifetimeHeights) run(executor)
    expect(executor.settled(late)).toBeNull()
    run(executor)
    // From the height that it is told of it can open.
    expect(told(late)).toEqual([[lifetimeHeights, 0, 'OpeningExpired']])
    expect(run(executor, open(2, 1, lifetimeHeights)).replies.map(({ outcome }) => word(outcome))).toEqual(['opened'])
  })

  it('each operation of an envelope, of whichever envelopes they were executed', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a', 'bad']))
    run(executor, operations(1, session, 3, ['c']))
    const all = operations(1, session, 1, ['a', 'bad', 'c'])
    expect(executor.settled(all)!.map(({ height }) => height)).toEqual([2, 2, 3])
    expectAsExecuted(executor, all)
    expectAsExecuted(executor, operations(1, session, 2, ['bad', 'c']))
  })

  it('a cancel, by what was executed or cancelled; and an operation that came after its cancel', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a']))
    run(executor, cancel(1, session, 1, 3))
    expectAsExecuted(executor, cancel(1, session, 1, 3))
    expectAsExecuted(executor, operations(1, session, 2, ['b']))
  })

  it('but not what the client has said that it has', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a', 'b', 'c']))
    run(executor, operations(1, session, 4, ['d'], 2))
    const settled = executor.settled(operations(1, session, 1, ['a', 'b', 'c']))!
    expect(settled.map((reply) => reply.kind === 'operation' && reply.number)).toEqual([3])
    expect(executor.settled(operations(1, session, 1, ['a', 'b']))).toEqual([])
  })
})

describe('has to be ordered', () => {
  it('what is not consumed to its last number', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a']))
    expect(executor.settled(operations(1, session, 1, ['a', 'b']))).toBeNull()
    expect(executor.settled(cancel(1, session, 1, 2))).toBeNull()
    expect(executor.settled(operations(1, session, 3, ['b']))).toBeNull()
  })

  it('what stands for other bytes, was evicted, or is somebody else’s', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const first = operations(1, session, 1, ['a'])
    run(executor, first)
    expect(executor.settled(operations(1, session, 1, ['x']))).toBeNull()
    expect(executor.settled(operations(2, session, 1, ['a']))).toBeNull()
    for (let number = 2; number <= repliesKept + 1; number++) run(executor, operations(1, session, number, ['b']))
    expect(executor.settled(first)).toBeNull()
  })

  it('what names no operation, a close, a read, and what is about a session that is still to come', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a']))
    expect(executor.settled(operations(1, session, 1, []))).toBeNull()
    expect(executor.settled(cancel(1, session, 0, 1))).toBeNull()
    const read = { client: clientKey(1), nonce: new Uint8Array(16), queries: [], signature: new Uint8Array(0) }
    expect(executor.settled({ kind: 'read', ...read })).toBeNull()
    expect(executor.settled(close(1, session))).toBeNull()
    expect(executor.settled(operations(1, { height: 3, index: 0 }, 1, ['a']))).toBeNull()
  })
})

it('nothing is told of a block half executed, nor of one that halted', () => {
  const executor = createExecutor()
  const session = openSession(executor, 1, 1)
  const [first, second] = [operations(1, session, 1, ['a']), operations(1, session, 2, ['b'])]
  executor.begin(blockOf(2, [first, second]))
  executor.next()
  executor.applied({ kind: 'result', result: new Uint8Array(0) })
  expect(executor.settled(first)).toBeNull()
  executor.next()
  executor.halt(new Error('a disk of its own'))
  expect(executor.settled(first)).toBeNull()
})
