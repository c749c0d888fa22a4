// Executed headers that lag behind execution while the root of a checkpoint is worked out.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { Envelope } from '../../src/kernel/envelope.ts'
import { nodeHasher } from '../../src/crypto/node/sha256-hasher.ts'
import { snapshotChunkBytesMax } from '../../src/kernel/manifest.ts'
import { ExecutionHaltedError } from '../../src/execution/halt.ts'
import { replyOverheadBytes } from '../../src/execution/reply-memory.ts'
import { StateRoot } from '../../src/execution/state-root.ts'
import { defineStateMachine } from '../../src/execution/state-machine.ts'
import { bytesCodec } from '../../src/execution/value-codec.ts'
import type { StateChunk } from '../../src/execution/state-chunks.ts'
import {
  blockOf,
  cancel,
  close,
  createExecutor,
  finish,
  hasher,
  hex,
  open,
  openSession,
  operations,
  run,
  text,
  transferred,
} from './fixtures.ts'

interface Written {
  id: string
  size: number
}

/** A machine of many small chunks, each written when it is asked for, with an eye on who asks. */
function watched(chunkCount: number, written: Written[] = [], views: WeakRef<object>[] = []) {
  return defineStateMachine({
    name: 'watched',
    version: 1,
    command: bytesCodec,
    query: bytesCodec,
    result: bytesCodec,
    create: () => {
      let state: readonly string[] = Array.from({ length: chunkCount }, () => '')
      const apply = (command: Uint8Array): Uint8Array => {
        const content = new TextDecoder().decode(command)
        state = state.map((each, index) => (index % 3 === content.length % 3 ? each + content : each))
        return command
      }
      const chunkOf = (frozen: { state: readonly string[] }, index: number): StateChunk => ({
        id: String(index).padStart(4, '0'),
        version: frozen.state[index]!.length,
        bytes: () => {
          const content = frozen.state[index]!
          written.push({ id: String(index), size: content.length })
          if (content.includes('poison')) throw new Error('the disk of this application is gone')
          return text(content)
        },
      })
      const snapshot = (): Iterable<StateChunk> => {
        const frozen = { state }
        views.push(new WeakRef(frozen))
        return {
          *[Symbol.iterator]() {
            for (const index of frozen.state.keys()) yield chunkOf(frozen, index)
          },
        }
      }
      const restore = (chunks: Iterable<{ bytes: Uint8Array }>): void => {
        state = Array.from(chunks, ({ bytes }) => new TextDecoder().decode(bytes))
      }
      return { apply, query: () => text(state.join()), snapshot, restore }
    },
  })
}

const one = { sliceBytesMax: Infinity, sliceChunksMax: 1 }

/** At height 4, with its root not begun: a session, and two operations. */
function atCheckpoint(options: Parameters<typeof createExecutor>[0] = {}) {
  const executor = createExecutor({ slices: one, machine: watched(10), ...options })
  const session = openSession(executor, 1, 1)
  run(executor, operations(1, session, 1, ['a']))
  run(executor)
  executor.execute(blockOf(4, [operations(1, session, 2, ['bc'])]))
  return { executor, session }
}

describe('while a root is worked out', () => {
  it('blocks are executed, and headers wait', () => {
    const { executor, session } = atCheckpoint()
    const { leaves, ...executed } = executor.execute(blockOf(5, [operations(1, session, 3, ['d'])], 9000))
    expect([executed.height, executed.timestamp, leaves.length]).toEqual([5, 9000, 1])
    expect([executor.height, executor.time, executor.headerHeight, executor.header?.height]).toEqual([5, 9000, 3, 3])
    expect([executor.takeHeaders(), executor.checkpoint]).toEqual([[], null])
    while (executor.work()) expect(executor.headerHeight).toBe(executor.checkpoint === null ? 3 : executor.headerHeight)
    const headers = executor.takeHeaders()
    expect(headers.map(({ height, stateRoot }) => [height, stateRoot !== null])).toEqual([
      [4, true],
      [5, false],
    ])
    expect(executor.takeHeaders()).toEqual([])
    expect([executor.headerHeight, executor.checkpoint?.header]).toEqual([5, headers[0]])
    expect(run(executor).header.height).toBe(6)
  })

  it('the block of the next checkpoint waits for it', () => {
    const { executor } = atCheckpoint()
    for (let height = 5; height < 8; height++) executor.execute(blockOf(height, []))
    expect(executor.mayExecute).toBe(false)
    expect(() => executor.execute(blockOf(8, []))).toThrow(RangeError)
    while (executor.checkpoint === null) executor.work()
    // One header each time: those of 6 and 7 are still to come, and the next root covers the digest of the last one.
    expect([executor.headerHeight, executor.mayExecute]).toEqual([5, false])
    while (executor.work());
    expect([executor.headerHeight, executor.mayExecute]).toEqual([7, true])
    expect(finish(executor, blockOf(8, [])).header.stateRoot).not.toBeNull()
  })

  it('a slice is bounded in chunks, and in bytes', () => {
    for (const [slices, chunksMax, bytesMax] of [
      [{ sliceBytesMax: Infinity, sliceChunksMax: 3 }, 3, Infinity],
      [{ sliceBytesMax: 40, sliceChunksMax: Infinity }, Infinity, 40 + 30],
    ] as const) {
      const written: Written[] = []
      const { executor, session } = atCheckpoint({ slices, machine: watched(300, written) })
      while (executor.work());
      for (let height = 5; height < 8; height++) {
        executor.execute(blockOf(height, [operations(1, session, height - 2, ['x'.repeat(height - 4)])]))
      }
      executor.execute(blockOf(8, []))
      let slicesUsed = 0
      do {
        slicesUsed++
        written.length = 0
      } while (
        executor.work() &&
        written.length <= chunksMax &&
        written.reduce((sum, { size }) => sum + size, 0) <= bytesMax
      )
      expect([executor.headerHeight, slicesUsed > 20]).toEqual([8, true])
    }
  })

  it('what was not touched is gone through, and not hashed', () => {
    const { executor } = atCheckpoint()
    while (executor.work());
    for (let height = 5; height <= 8; height++) executor.execute(blockOf(height, []))
    let slices = 1
    while (executor.work()) slices++
    // Counters, permissions, registry, a session and ten chunks of the machine; and one more to see that this is all.
    expect([slices, executor.chunksHashed]).toEqual([15, 1])
  })

  it('a chunk that cannot be had halts the executor, at the height of the checkpoint', () => {
    const { executor, session } = atCheckpoint()
    while (executor.work());
    const saved = { header: executor.header!, chunks: transferred(executor.checkpoint!) }
    executor.execute(blockOf(5, [operations(1, session, 3, ['poison'])]))
    for (let height = 6; height < 11; height++) executor.execute(blockOf(height, []))
    const work = (): void => {
      while (executor.work());
    }
    expect(work).toThrow(ExecutionHaltedError)
    expect(executor.halted).toMatchObject({ height: 8, index: null })
    expect([executor.mayExecute, executor.work(), executor.height, executor.headerHeight]).toEqual([
      false,
      false,
      10,
      7,
    ])
    expect(executor.takeHeaders().at(-1)?.height).toBe(7)
    expect(() => executor.execute(blockOf(11, []))).toThrow(ExecutionHaltedError)
    expect(executor.restore(saved.header, saved.chunks)).toEqual({ ok: true })
    expect([executor.mayExecute, run(executor).header.height]).toEqual([true, 5])
  })

  it('a snapshot may take the place of everything', () => {
    const { executor, session } = atCheckpoint()
    const other = atCheckpoint().executor
    while (other.work());
    for (let height = 5; height <= 8; height++) finish(other, blockOf(height, []))
    executor.execute(blockOf(5, [operations(1, session, 3, ['d'])]))
    executor.work()
    expect(executor.restore(other.header!, transferred(other.checkpoint!))).toEqual({ ok: true })
    expect([executor.work(), executor.takeHeaders(), executor.headerHeight, executor.height]).toEqual([false, [], 8, 8])
    expect(executor.checkpoint?.chunks.map(({ digest }) => hex(digest))).toEqual(
      other.checkpoint!.chunks.map(({ digest }) => hex(digest)),
    )
    for (let height = 9; height <= 12; height++) {
      expect(finish(executor, blockOf(height, [])).header).toEqual(finish(other, blockOf(height, [])).header)
    }
  })

  it('a snapshot that is refused changes nothing of it', () => {
    const { executor } = atCheckpoint()
    const { executor: other } = atCheckpoint()
    while (other.work());
    executor.work()
    expect(executor.restore(other.header!, transferred(other.checkpoint!).slice(0, -1)).ok).toBe(false)
    while (executor.work());
    expect(executor.takeHeaders()).toEqual([other.header])
  })
})

describe('a session that changes before its chunk was written', () => {
  const reply = replyOverheadBytes + 6
  const options = {
    machine: watched(1),
    slices: one,
    replyLimits: { sessionBytesMax: 100 * reply, totalBytesMax: 3 * reply },
  }
  const first = { height: 1, index: 0 }
  const second = { height: 2, index: 0 }
  const blocks = [
    [open(1, 1, 0)],
    [open(2, 1, 0)],
    [operations(1, first, 1, ['a', 'b'])],
    [operations(2, second, 1, ['c'])],
  ]
  const changes: [string, Envelope][] = [
    ['by an operation', operations(1, first, 3, ['d'])],
    ['by an acknowledgement', operations(1, first, 2, ['b'], 1)],
    ['by a cancel', cancel(1, first, 3, 2)],
    ['by its end', close(1, first)],
    ['by a reply that it loses to another session', operations(2, second, 2, ['d', 'e'])],
  ]

  it.each(changes)('%s is in the root as it was', (_, change) => {
    const [whole, lagging] = [createExecutor(options), createExecutor(options)]
    for (const [index, envelopes] of blocks.entries()) {
      finish(whole, blockOf(index + 1, envelopes))
      lagging.execute(blockOf(index + 1, envelopes))
    }
    lagging.execute(blockOf(5, [change]))
    while (lagging.work());
    const expected = [whole.header, finish(whole, blockOf(5, [change])).header]
    expect(lagging.takeHeaders().slice(-2)).toEqual(expected)
  })
})

describe('chunks of a checkpoint', () => {
  it('bear their digests and sizes', () => {
    const { executor } = atCheckpoint()
    while (executor.work());
    for (const { part, id, bytes, digest, size } of executor.checkpoint!.chunks) {
      const alone = new StateRoot(hasher).compute([{ part, id, version: 1, bytes }])
      expect([hex(digest), size]).toEqual([hex(alone.chunks[0]!.digest), bytes().length])
    }
  })

  it('are let go of when the next checkpoint is finished', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const views: WeakRef<object>[] = []
    const { executor } = atCheckpoint({ machine: watched(10, [], views) })
    while (executor.work());
    for (let height = 5; height < 8; height++) finish(executor, blockOf(height, []))
    // What is looked at through a WeakRef stays for the rest of a turn of the loop.
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    expect(views.map((view) => view.deref() !== undefined)).toEqual([true])
    finish(executor, blockOf(8, []))
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    expect(views.map((view) => view.deref() !== undefined)).toEqual([false, true])
  })

  it('of a session with all the replies that it may keep fit a snapshot', () => {
    const echo = defineStateMachine({
      name: 'echo',
      version: 1,
      command: bytesCodec,
      query: bytesCodec,
      result: bytesCodec,
      create: () => ({ apply: (command) => command, query: (query) => query, snapshot: () => [], restore: () => {} }),
    })
    const parameters = { repliesKept: 65_536, lifetimeHeights: 1000, perClientMax: 1, totalMax: 1 }
    for (const [replies, bytes] of [
      [31_000, 1],
      [40, 128 * 1024],
      [6, 1024 * 1024 - 16],
    ] as const) {
      const executor = createExecutor({
        machine: echo,
        hasher: nodeHasher,
        sessions: parameters,
        checkpoints: { intervalHeights: 100 },
      })
      const session = openSession(executor, 1, 1)
      const perBlock = Math.min(1000, replies, Math.floor(2_000_000 / bytes))
      for (let number = 1; number <= replies; number += perBlock) {
        const contents = Array.from({ length: perBlock }, () => new Uint8Array(bytes))
        run(executor, operations(1, session, number, contents))
      }
      while (executor.height < 99) executor.execute(blockOf(executor.height + 1, []))
      const { header } = run(executor)
      expect(header.stateRoot).not.toBeNull()
      const chunk = executor.checkpoint!.chunks.find(({ part }) => part === 'sessions')!
      expect(chunk.size).toBeGreaterThan(2_000_000)
      expect(chunk.size).toBeLessThan(snapshotChunkBytesMax)
    }
  })

  it('are refused above the size that a snapshot takes, whatever their part', () => {
    const chunk = {
      part: 'sessions',
      id: '1.0',
      version: 1,
      bytes: () => new Uint8Array(snapshotChunkBytesMax + 1),
    } as const
    expect(() => new StateRoot(hasher).compute([chunk])).toThrow(RangeError)
  })
})
