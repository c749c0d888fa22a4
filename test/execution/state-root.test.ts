// The root of the state: incremental, covering everything, and the same whatever the history. R16.

import { describe, expect, it } from 'vitest'
import type { PartChunk, RestoredPartChunk } from '../../src/execution/state-parts.ts'
import { StateRoot } from '../../src/execution/state-root.ts'
import { decode, encode } from '../../src/wire/codec.ts'
import { sessionRecordCodec } from '../../src/execution/session.ts'
import { executedHeaderDigest } from '../../src/execution/executed-ledger.ts'
import type { Executor } from '../../src/execution/executor.ts'
import {
  close,
  createExecutor,
  hasher,
  hex,
  openSession,
  operations,
  run,
  sessionParameters,
  text,
  transferred,
  word,
  words,
} from './fixtures.ts'

function busy(): Executor {
  const executor = createExecutor()
  const first = openSession(executor, 1, 1)
  const second = openSession(executor, 2, 1)
  run(executor, operations(1, first, 1, ['a', 'b']), operations(2, second, 1, ['c']))
  run(executor, close(2, second), operations(1, first, 3, ['d']))
  return executor
}

function rootOf(chunks: readonly RestoredPartChunk[]): string {
  return hex(
    new StateRoot(hasher).compute(chunks.map((chunk) => ({ ...chunk, version: 0, bytes: () => chunk.bytes }))).root,
  )
}

function chunk(id: string, size = 1): PartChunk {
  return { part: 'application', id, version: 1, bytes: () => new Uint8Array(size) }
}

describe('the state root', () => {
  it('computed from what changed equals the one computed from scratch', () => {
    const executor = createExecutor({ checkpoints: { intervalHeights: 1 } })
    const sessions = [1, 2, 3].map((client) => openSession(executor, client, 1))
    for (let round = 0; round < 30; round++) {
      const client = round % 3
      const number = Math.floor(round / 3) + 1
      run(executor, operations(client + 1, sessions[client]!, number, [`round ${round}`], Math.max(number - 3, 0)))
      expect(hex(executor.header!.stateRoot!)).toBe(rootOf(transferred(executor.checkpoint!)))
      // Counters, the session that was used, and the part of the log that was written.
      expect(executor.chunksHashed).toBe(3)
    }
  })

  it('covers executor, permissions, clients, sessions and application', () => {
    const executor = busy()
    const chunks = transferred(executor.checkpoint!)
    expect([...new Set(chunks.map(({ part }) => part))]).toEqual([
      'executor',
      'permissions',
      'clients',
      'sessions',
      'application',
    ])
    const right = hex(executor.header!.stateRoot!)
    expect(rootOf(chunks)).toBe(right)
    for (const [index, chunk] of chunks.entries()) {
      const bytes = Uint8Array.from([...chunk.bytes, 1])
      expect(rootOf(chunks.with(index, { ...chunk, bytes }))).not.toBe(right)
      expect(rootOf(chunks.with(index, { ...chunk, id: `${chunk.id}!` }))).not.toBe(right)
      const part = chunk.part === 'clients' ? 'permissions' : 'clients'
      expect(rootOf(chunks.with(index, { ...chunk, part }))).not.toBe(right)
      expect(rootOf(chunks.toSpliced(index, 1))).not.toBe(right)
    }
    expect(rootOf(chunks.toReversed())).not.toBe(right)
  })

  it('refuses chunks that break the rules for them', () => {
    expect(() => new StateRoot(hasher).compute([chunk('a'), chunk('a')])).toThrow(/two chunks/)
    expect(() => new StateRoot(hasher).compute([chunk('ā')])).toThrow(/U\+00FF/)
    expect(() => new StateRoot(hasher).compute([chunk('x'.repeat(2049))])).toThrow(/2049 characters/)
    expect(() => new StateRoot(hasher).compute([chunk('a', 2 * 1024 * 1024 + 1)])).toThrow(/2097153 bytes/)
  })
})

describe('restoring', () => {
  it('continues exactly where the other one was', () => {
    const executor = busy()
    const follower = createExecutor()
    expect(follower.restore(executor.header!, transferred(executor.checkpoint!))).toEqual({ ok: true })
    expect([follower.height, follower.time, follower.epoch, follower.sessionCount]).toEqual([4, 4000, 1, 1])
    expect(hex(follower.headerDigest)).toBe(hex(executedHeaderDigest(hasher, executor.header!)))
    const next = operations(1, { height: 1, index: 0 }, 2, ['b', 'd', 'e'])
    const executed = run(executor, next)
    expect(words(executed)).toEqual(['2: 2 again', '3: 4 again', '4: 5'])
    expect(run(follower, next)).toEqual(executed)
  })

  it('keeps evicting at the same heights, in spite of another history', () => {
    const executor = busy()
    const follower = createExecutor()
    follower.restore(executor.header!, transferred(executor.checkpoint!))
    for (let height = 0; height < sessionParameters.lifetimeHeights + 4; height++) {
      expect(run(follower).header).toEqual(run(executor).header)
      expect(follower.sessionCount).toBe(executor.sessionCount)
    }
    expect(executor.sessionCount).toBe(0)
  })

  it('evicts in the order of use, which is not the order of opening', () => {
    const executor = createExecutor({ checkpoints: { intervalHeights: 1 } })
    const first = openSession(executor, 1, 1)
    openSession(executor, 2, 1)
    run(executor)
    run(executor, operations(1, first, 1, ['a']))
    const follower = createExecutor({ checkpoints: { intervalHeights: 1 } })
    expect(follower.restore(executor.header!, transferred(executor.checkpoint!))).toEqual({ ok: true })
    const left = new Set<number>()
    for (let height = 0; height <= sessionParameters.lifetimeHeights; height++) {
      expect(run(follower).header).toEqual(run(executor).header)
      left.add(executor.sessionCount)
    }
    expect([...left]).toEqual([2, 1, 0])
  })

  it('brings a halted executor back', () => {
    const executor = busy()
    const { header } = executor
    const saved = transferred(executor.checkpoint!)
    expect(() => run(executor, operations(1, { height: 1, index: 0 }, 4, ['boom']))).toThrow(/halted/)
    expect(executor.restore(header!, saved)).toEqual({ ok: true })
    expect(executor.halted).toBeNull()
    expect(words(run(executor, operations(1, { height: 1, index: 0 }, 4, ['calm'])))).toEqual(['4: 5'])
  })

  // R16: a server of snapshots that forgets what was executed would have it executed again.
  it('refuses a forged session table, and stays as it was', () => {
    const executor = busy()
    const chunks = transferred(executor.checkpoint!)
    const at = chunks.findIndex(({ part }) => part === 'sessions')
    const session = decode(sessionRecordCodec, chunks[at]!.bytes)
    if (!session.ok) throw session.error
    const forged = encode(sessionRecordCodec, { ...session.value, lastNumber: 0, replies: [] })
    const follower = createExecutor()
    run(follower)
    const answer = follower.restore(executor.header!, chunks.with(at, { ...chunks[at]!, bytes: forged }))
    expect(answer).toEqual({ ok: false, reason: 'the state has another root' })
    expect([follower.height, word(follower.query(text('')))]).toEqual([1, '0'])
    expect(run(follower).header.height).toBe(2)
  })

  it('refuses whatever else is not the snapshot of the header, and never throws', () => {
    const executor = busy()
    const { header } = executor
    const chunks = transferred(executor.checkpoint!)
    const garbage = text('garbage')
    const lies: RestoredPartChunk[][] = [
      [],
      chunks.slice(1),
      chunks.slice(0, -1),
      [...chunks, { part: 'application', id: 'part/0009', bytes: garbage }],
      [...chunks, { part: 'sessions', id: 'x', bytes: garbage }],
      [...chunks, ...chunks.filter(({ part }) => part === 'sessions')],
      [...chunks, { part: 'clients', id: 'floors/1', bytes: garbage }],
      [...chunks, { part: 'permissions', id: 'permissions', bytes: garbage }],
      [...chunks, { part: 'executor', id: 'counters', bytes: garbage }],
      [...chunks, { part: 'other' as 'executor', id: 'counters', bytes: garbage }],
    ]
    for (const lie of lies) expect(createExecutor().restore(header!, lie).ok).toBe(false)
    const other = { ...header!, height: 8 }
    const refused = createExecutor().restore(other, chunks)
    expect(refused.ok ? '' : refused.reason).toMatch(/counters/)
    expect(createExecutor().restore({ ...header!, stateRoot: null }, chunks).ok).toBe(false)
    expect(createExecutor().restore(header!, chunks)).toEqual({ ok: true })
  })
})
