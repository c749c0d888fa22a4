// A snapshot is read once, chunk by chunk; and whatever is wrong with it, the executor stays what it was.

import { describe, expect, it } from 'vitest'
import { defineStateMachine } from '../../src/execution/state-machine.ts'
import type { RestoredChunk } from '../../src/execution/state-chunks.ts'
import type { RestoredPartChunk } from '../../src/execution/state-parts.ts'
import { bytesCodec } from '../../src/execution/value-codec.ts'
import { createExecutor, openSession, operations, run, text, transferred } from './fixtures.ts'

type Restore = (chunks: Iterable<RestoredChunk>, put: (chunk: RestoredChunk) => void) => void

/** Keeps what it was told, one chunk for each word; how it restores is the test's to say. */
function keeper(restore: Restore) {
  return defineStateMachine({
    name: 'keeper',
    version: 1,
    command: bytesCodec,
    query: bytesCodec,
    result: bytesCodec,
    create: () => {
      const words: string[] = []
      return {
        apply: (command) => {
          words.push(new TextDecoder().decode(command))
          return command
        },
        query: () => text(words.join(' ')),
        snapshot: () => {
          const frozen = words.slice()
          return frozen.map((word, index) => ({ id: `word/${index}`, version: 1, bytes: () => text(word) }))
        },
        restore: (chunks) => restore(chunks, ({ bytes }) => void words.push(new TextDecoder().decode(bytes))),
      }
    },
  })
}

const restoreAll: Restore = (chunks, put) => {
  for (const chunk of chunks) put(chunk)
}

function saved() {
  const executor = createExecutor({ machine: keeper(restoreAll) })
  const session = openSession(executor, 1, 1)
  run(executor, operations(1, session, 1, ['one', 'two', 'three']))
  run(executor)
  const { header } = run(executor)
  return { header, chunks: transferred(executor.checkpoint!) }
}

function answer(
  restore: Restore,
  source: Iterable<RestoredPartChunk>,
): { ok: boolean; reason?: string; height: number } {
  const executor = createExecutor({ machine: keeper(restore) })
  run(executor)
  const restored = executor.restore(saved().header, source)
  return { ...restored, height: executor.height }
}

describe('reading a snapshot', () => {
  it('asks for an application chunk when the machine asks, and not before', () => {
    const log: string[] = []
    const source = function* (): Generator<RestoredPartChunk> {
      for (const chunk of saved().chunks) {
        log.push(`give ${chunk.id}`)
        yield chunk
      }
    }
    const restore: Restore = (chunks, put) => {
      for (const chunk of chunks) {
        log.push(`take ${chunk.id}`)
        put(chunk)
      }
    }
    expect(answer(restore, source())).toEqual({ ok: true, height: 4 })
    expect(log.slice(log.indexOf('give word/0'))).toEqual(
      [0, 1, 2].flatMap((number) => [`give word/${number}`, `take word/${number}`]),
    )
  })

  it('finds a malformed chunk behind what the machine takes, or wants to hear of', () => {
    const { chunks } = saved()
    const bad: RestoredPartChunk[] = [
      { part: 'other' as 'application', id: 'word/3', bytes: text('four') },
      { ...chunks.find(({ part }) => part === 'sessions')! },
    ]
    const machines: Restore[] = [
      restoreAll,
      (all, put) => {
        let left = 3
        for (const chunk of all) {
          put(chunk)
          if (--left === 0) break
        }
      },
      (all, put) => {
        try {
          restoreAll(all, put)
        } catch {
          // A machine that makes the best of what it got.
        }
      },
    ]
    for (const restore of machines) {
      expect(answer(restore, chunks)).toEqual({ ok: true, height: 4 })
      for (const chunk of bad) expect(answer(restore, [...chunks, chunk])).toMatchObject({ ok: false, height: 1 })
    }
  })

  it('takes a source that fails for a bad snapshot', () => {
    for (const failsAt of [0, 3, 6]) {
      const source = function* (): Generator<RestoredPartChunk> {
        for (const [index, chunk] of saved().chunks.entries()) {
          if (index === failsAt) throw new Error('the disk does not give it')
          yield chunk
        }
      }
      const refused = { ok: false, reason: expect.stringMatching(/the disk does not give it/) as string, height: 1 }
      expect(answer(restoreAll, source())).toEqual(refused)
    }
  })

  it('gives the chunks once', () => {
    const twice: Restore = (chunks, put) => {
      restoreAll(chunks, () => {})
      restoreAll(chunks, put)
    }
    const { reason, height } = answer(twice, saved().chunks)
    expect(reason).toMatch(/only once/)
    expect(height).toBe(1)
  })

  it('refuses parts in another order', () => {
    const { chunks } = saved()
    const [first, second, ...rest] = chunks
    expect(answer(restoreAll, [second!, first!, ...rest]).reason).toMatch(/too late/)
  })
})
