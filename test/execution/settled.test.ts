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
    run(executor, close(1, { height: 1, index: 1 }))
    expect(executor.settled(opening)).toBeNull()
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

  it('what names no operation, a close, and a read', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, ['a']))
    expect(executor.settled(operations(1, session, 1, []))).toBeNull()
    expect(executor.settled(cancel(1, session, 0, 1))).toBeNull()
    const read = { client: clientKey(1), nonce: new Uint8Array(16), queries: [], signature: new Uint8Array(0) }
    expect(executor.settled({ kind: 'read', ...read })).toBeNull()
    run(executor, close(1, session))
    expect(executor.settled(close(1, session))).toBeNull()
    expect(executor.settled(operations(1, session, 1, ['a']))).toBeNull()
  })

  it('whatever was forgotten with its idle session', () => {
    const executor = createExecutor()
    const opening = open(1, 1)
    run(executor, opening)
    for (let height = 0; height <= lifetimeHeights; height++) run(executor)
    expect(executor.settled(opening)).toBeNull()
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
