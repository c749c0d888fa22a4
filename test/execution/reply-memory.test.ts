// Stored replies are bounded in bytes: for one session, and for all together; and every replica forgets the same.

import { describe, expect, it } from 'vitest'
import { ReplyMemory, replyOverheadBytes, type KeptReply } from '../../src/execution/reply-memory.ts'
import type { Session } from '../../src/execution/session.ts'
import { bytesCodec } from '../../src/execution/value-codec.ts'
import { defineStateMachine } from '../../src/execution/state-machine.ts'
import { createExecutor, hex, openSession, operations, run, transferred, words } from './fixtures.ts'

const echo = defineStateMachine({
  name: 'echo',
  version: 1,
  command: bytesCodec,
  query: bytesCodec,
  result: bytesCodec,
  create: () => ({ apply: (command) => command, query: (query) => query, snapshot: () => [], restore: () => {} }),
})

/** What a reply of `length` characters is counted with: five bytes make a result an outcome. */
const cost = (length: number): number => length + 5 + replyOverheadBytes
const executorWith = (sessionReplies: number, totalReplies: number) =>
  createExecutor({
    machine: echo,
    checkpoints: { intervalHeights: 1 },
    replyLimits: { sessionBytesMax: sessionReplies * cost(10), totalBytesMax: totalReplies * cost(10) },
  })
const content = (number: number): string => `reply ${String(number).padStart(4, '0')}`
const contents = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => content(first + index))

describe('the replies of one session', () => {
  it('are kept up to a number of bytes, the latest always', () => {
    const executor = executorWith(3, 100)
    const session = openSession(executor, 1, 1)
    run(executor, operations(1, session, 1, contents(1, 5)))
    expect(words(run(executor, operations(1, session, 1, contents(1, 5))))).toEqual([
      '1: ReplyEvicted',
      '2: ReplyEvicted',
      ...[3, 4, 5].map((number) => `${number}: ${content(number)} again`),
    ])
    const huge = 'x'.repeat(10_000)
    run(executor, operations(1, session, 6, [huge]))
    expect(words(run(executor, operations(1, session, 5, [content(5), huge])))).toEqual([
      '5: ReplyEvicted',
      `6: ${huge} again`,
    ])
  })
})

describe('the replies of all sessions', () => {
  it('are kept up to a number of bytes; what was executed first is forgotten first, whosever it is', () => {
    const executor = executorWith(100, 4)
    const first = openSession(executor, 1, 1)
    const second = openSession(executor, 2, 1)
    run(executor, operations(1, first, 1, contents(1, 2)), operations(2, second, 1, contents(1, 2)))
    run(executor, operations(2, second, 3, contents(3, 1)))
    expect(words(run(executor, operations(1, first, 1, contents(1, 2))))).toEqual([
      '1: ReplyEvicted',
      `2: ${content(2)} again`,
    ])
    expect(words(run(executor, operations(2, second, 1, contents(1, 3))))[0]).toBe(`1: ${content(1)} again`)
  })

  it('are forgotten alike by a replica that comes from a snapshot', () => {
    const executor = executorWith(3, 5)
    const sessions = [1, 2, 3].map((client) => openSession(executor, client, 1))
    const envelope = (round: number) =>
      operations((round % 3) + 1, sessions[round % 3]!, Math.floor(round / 3) + 1, [content(round)])
    for (let round = 0; round < 7; round++) run(executor, envelope(round))
    const follower = executorWith(3, 5)
    expect(follower.restore(executor.header!, transferred(executor.checkpoint!))).toEqual({ ok: true })
    for (let round = 7; round < 20; round++) {
      expect(hex(run(follower, envelope(round)).header.stateRoot!)).toBe(
        hex(run(executor, envelope(round)).header.stateRoot!),
      )
      expect(transferred(follower.checkpoint!)).toEqual(transferred(executor.checkpoint!))
    }
  })
})

it('a reply that is forgotten leads to no other, so that the collector does not take those for needed', () => {
  const memory = new ReplyMemory()
  const session = { replies: [], replyBytes: 0 } as unknown as Session
  for (let index = 0; index < 3; index++) {
    const reply = { firstNumber: index + 1, count: 1, digest: null, height: 1, index, outcome: new Uint8Array(1) }
    memory.add(session, reply, () => {})
  }
  const [first, second, third] = session.replies as KeptReply[]
  memory.dropFirst(session)
  expect([first!.older, first!.newer]).toEqual([null, null])
  expect([second!.older, second!.newer]).toEqual([null, third])
  memory.dropAll(session)
  expect(memory.bytes).toBe(0)
})
