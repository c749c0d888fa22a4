// Random envelopes, duplicated, reordered, overlapped and replayed, against a naive model of one session's numbers.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Envelope } from '../../src/kernel/envelope.ts'
import { certaintyOf, type Outcome } from '../../src/kernel/outcome.ts'
import {
  cancel,
  createExecutor,
  openSession,
  operationReplies,
  operations,
  outcome,
  run,
  text,
  transferred,
  word,
} from './fixtures.ts'

interface Step {
  kind: 'operations' | 'cancel' | 'replay'
  first: number
  contents: number[]
  pick: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('operations', 'operations', 'operations', 'cancel', 'replay'),
  first: fc.integer({ min: 1, max: 14 }),
  contents: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }),
  pick: fc.nat(),
})

/** What a number stands for, and what came of it. */
interface Consumed {
  content: string | null
  position: number
}

/** The rules for one session whose replies are all kept. */
class Model {
  readonly consumed: Consumed[] = []
  executed = 0

  apply(envelope: Envelope): string[] {
    if (envelope.kind !== 'operations' && envelope.kind !== 'cancel') return []
    const { firstNumber } = envelope
    if (firstNumber > this.consumed.length + 1) return [`${firstNumber} OutOfOrder`]
    const contents =
      envelope.kind === 'cancel'
        ? Array.from({ length: envelope.count }, () => null)
        : envelope.operations.map((operation) => new TextDecoder().decode(operation))
    return contents.map((content, index) => `${firstNumber + index} ${this.#one(firstNumber + index, content)}`)
  }

  #one(number: number, content: string | null): string {
    const before = this.consumed[number - 1]
    if (before === undefined) {
      const position = content === null ? 0 : ++this.executed
      this.consumed.push({ content, position })
      return content === null ? 'cancelled' : String(position)
    }
    if (before.content === null) return 'cancelled'
    if (content !== null && content !== before.content) return 'SequenceReused'
    return String(before.position)
  }
}

function envelopes(session: { height: number; index: number }, steps: readonly Step[]): Envelope[] {
  const all: Envelope[] = []
  for (const { kind, first, contents, pick } of steps) {
    const before = all[all.length === 0 ? 0 : pick % all.length]
    if (kind === 'cancel') all.push(cancel(1, session, first, contents.length))
    else if (kind === 'replay' && before !== undefined) all.push(before)
    else
      all.push(
        operations(
          1,
          session,
          first,
          contents.map((content) => `${content}`),
        ),
      )
  }
  return all
}

const noLimits = { repliesKept: 1000, lifetimeHeights: 1000, perClientMax: 3, totalMax: 6 }

describe('sessions under random envelopes', () => {
  it('do what the model does, and execute each number at most once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), (steps, perBlock) => {
        const executor = createExecutor({ sessions: noLimits })
        const session = openSession(executor, 1, 1)
        const model = new Model()
        const all = envelopes(session, steps)
        for (let first = 0; first < all.length; first += perBlock) {
          const block = all.slice(first, first + perBlock)
          const expected = block.flatMap((envelope) => model.apply(envelope)).toSorted()
          const replies = operationReplies(run(executor, ...block))
          expect(replies.map(({ number, outcome }) => `${number} ${word(outcome)}`).toSorted()).toEqual(expected)
        }
        expect(word(executor.query(text('')))).toBe(String(model.executed))
      }),
      { numRuns: 200 },
    )
  })

  // R18: whatever was called definite never happens afterwards, with every envelope replayed as often as one likes.
  it('keep their word: what failed for certain is never executed', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.array(fc.nat(), { maxLength: 25 }),
        (steps, replays) => {
          const small = { repliesKept: 4, lifetimeHeights: 16, perClientMax: 3, totalMax: 6 }
          const executor = createExecutor({ sessions: small })
          const session = openSession(executor, 1, 1)
          const all = envelopes(session, steps)
          const order = [...all, ...replays.map((pick) => all[pick % all.length]!)]
          /** By number and content: what was said of it so far. */
          const said = new Map<string, 'executed' | 'definite'>()
          for (const envelope of order) {
            for (const { number, outcome: bytes } of operationReplies(run(executor, envelope))) {
              if (envelope.kind !== 'operations') continue
              const content = envelope.operations[number - envelope.firstNumber]
              const name = `${number} ${new TextDecoder().decode(content)}`
              const value: Outcome = outcome(bytes)
              const claim = certaintyOf(value) ?? 'executed'
              if (claim === 'indefinite') continue
              expect(said.get(name) ?? claim).toBe(claim)
              said.set(name, claim)
            }
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('come back from a snapshot as they were, at any height', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 24 }), (steps) => {
        const small = { repliesKept: 4, lifetimeHeights: 16, perClientMax: 3, totalMax: 6 }
        const checkpoints = { intervalHeights: 1 }
        const [executor, follower] = [1, 2].map(() => createExecutor({ sessions: small, checkpoints }))
        const session = openSession(executor!, 1, 1)
        for (const envelope of envelopes(session, steps)) {
          // The follower lives from snapshots and executes one block each.
          const { header } = executor!.checkpoint!
          expect(follower!.restore(header, transferred(executor!.checkpoint!))).toEqual({ ok: true })
          const executed = run(executor!, envelope)
          expect(run(follower!, envelope)).toEqual(executed)
          expect(transferred(follower!.checkpoint!)).toEqual(transferred(executor!.checkpoint!))
        }
      }),
      { numRuns: 60 },
    )
  })
})
