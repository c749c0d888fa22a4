// Goal: wherever the slices of a root end, and whatever is executed between them, every header and every chunk is what it would be if
// each root were worked out at once. Method: one executor finishes each checkpoint before the next block, the other works as drawn.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Envelope } from '../../src/kernel/envelope.ts'
import type { ExecutedHeader } from '../../src/kernel/executed-header.ts'
import { nodeHasher } from '../../src/crypto/node/sha256-hasher.ts'
import { encode } from '../../src/wire/codec.ts'
import type { CheckpointState, Executor } from '../../src/execution/executor.ts'
import { StateRoot } from '../../src/execution/state-root.ts'
import { storeCommandCodec, type StoreCommand } from '../../src/execution/store/commands.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import { blockOf, cancel, close, createExecutor, finish, hex, open, operations, text } from './fixtures.ts'

interface Step {
  client: number
  kind: 'put' | 'delete' | 'lease' | 'cancel' | 'close' | 'open' | 'nothing'
  key: number
  /** Large ones make many runs, and runs of many parts. */
  large: boolean
  elapsedMs: number
  /** Calls of `work` after the block. */
  works: number
}

const step: fc.Arbitrary<Step> = fc.record({
  client: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom('put', 'put', 'put', 'put', 'delete', 'lease', 'cancel', 'close', 'open', 'nothing'),
  key: fc.nat(11),
  large: fc.boolean(),
  elapsedMs: fc.constantFrom(0, 100, 5000),
  works: fc.nat(2),
})

const sessions = { repliesKept: 4, lifetimeHeights: 20, perClientMax: 2, totalMax: 6 }
/** So small that sessions lose replies to each other. */
const replyLimits = { sessionBytesMax: 1000, totalBytesMax: 1500 }

/** Envelopes that follow from what the sessions are now. */
class Script {
  readonly #sessions = new Map<number, { height: number; index: number; next: number }>()
  #time = 1000

  block(height: number, { client, kind, key, large, elapsedMs }: Step): ReturnType<typeof blockOf> {
    this.#time += elapsedMs
    return blockOf(height, this.#envelopes(height, client, kind, key, large), this.#time)
  }

  #envelopes(height: number, client: number, kind: Step['kind'], key: number, large: boolean): Envelope[] {
    const session = this.#sessions.get(client)
    if (session === undefined || kind === 'open') {
      this.#sessions.set(client, { height, index: 0, next: 1 })
      return [open(client, height % 256, height - 1)]
    }
    const id = { height: session.height, index: session.index }
    if (kind === 'close') this.#sessions.delete(client)
    if (kind === 'close') return [close(client, id)]
    if (kind === 'nothing') return []
    const number = session.next++
    if (kind === 'cancel') return [cancel(client, id, number, 1)]
    return [
      operations(
        client,
        id,
        number,
        [encode(storeCommandCodec, command(kind, key, large, number))],
        Math.max(number - 3, 0),
      ),
    ]
  }
}

function command(kind: 'put' | 'delete' | 'lease', key: number, large: boolean, number: number): StoreCommand {
  if (kind === 'lease') return { kind: 'leaseGrant', ttlMs: 3000 }
  if (kind === 'delete') return { kind: 'delete', key: text(`key ${key}`) }
  return { kind: 'put', key: text(`key ${key}`), value: new Uint8Array(large ? 300_000 : 10).fill(number), lease: 0 }
}

function executorWith(sliceBytesMax: number, sliceChunksMax: number): Executor {
  const slices = { sliceBytesMax, sliceChunksMax }
  const checkpoints = { intervalHeights: 4 }
  return createExecutor({ machine: keyValueStore, hasher: nodeHasher, sessions, checkpoints, replyLimits, slices })
}

function rootOf({ chunks }: CheckpointState): string {
  const unknown = chunks.map(({ part, id, bytes }) => ({ part, id, version: 0, bytes }))
  return hex(new StateRoot(nodeHasher).compute(unknown).root)
}

describe('roots in slices', () => {
  it('are the roots at once, whatever is executed meanwhile', () => {
    let lagged = 0
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 8, maxLength: 40 }),
        fc.constantFrom(1, 2, 5, 1000),
        fc.constantFrom(1, 1000, 400_000),
        (steps, sliceChunksMax, sliceBytesMax) => {
          const whole = executorWith(Infinity, Infinity)
          const sliced = executorWith(sliceBytesMax, sliceChunksMax)
          const script = new Script()
          const expected: ExecutedHeader[] = []
          const held: CheckpointState[] = []
          const headers: ExecutedHeader[] = []
          const take = (): void => {
            headers.push(...sliced.takeHeaders())
            const { checkpoint } = sliced
            if (checkpoint !== null && checkpoint !== held.at(-1)) held.push(checkpoint)
          }
          for (const [index, each] of steps.entries()) {
            const block = script.block(index + 1, each)
            expected.push(finish(whole, block).header)
            while (!sliced.mayExecute) {
              sliced.work()
              take()
            }
            sliced.execute(block)
            if (sliced.headerHeight < sliced.height - 1) lagged++
            for (let works = 0; works < each.works; works++) sliced.work()
            take()
          }
          while (sliced.work()) take()
          take()
          expect(headers).toEqual(expected)
          expect(hex(sliced.headerDigest)).toBe(hex(whole.headerDigest))
          // What a checkpoint holds is still the state of its height, after all that was executed since.
          for (const checkpoint of held) expect(rootOf(checkpoint)).toBe(hex(checkpoint.header.stateRoot!))
        },
      ),
      { numRuns: 60 },
    )
    expect(lagged).toBeGreaterThan(100)
  })
})
