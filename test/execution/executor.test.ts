import { describe, expect, it } from 'vitest'
import type { Block } from '../../src/kernel/block.ts'
import { certaintyOf } from '../../src/kernel/outcome.ts'
import { Executor } from '../../src/execution/executor.ts'
import { ExecutionHaltedError } from '../../src/execution/halt.ts'
import { executedHeaderDigest } from '../../src/execution/executed-ledger.ts'
import { defineStateMachine } from '../../src/execution/state-machine.ts'
import { bytesCodec } from '../../src/execution/value-codec.ts'
import {
  blockOf,
  createExecutor,
  finish,
  hasher,
  hex,
  logMachine,
  open,
  openSession,
  operations,
  outcome,
  run,
  sessionParameters,
  text,
  transferred,
  word,
  words,
} from './fixtures.ts'

describe('executed headers', () => {
  it('chain, and bear the agreed time, which never runs back', () => {
    const executor = createExecutor()
    const first = finish(executor, blockOf(1, [], 5000)).header
    const second = finish(executor, blockOf(2, [], 4000)).header
    const third = finish(executor, blockOf(3, [], 6000)).header
    expect([first.time, second.time, third.time]).toEqual([5000, 5000, 6000])
    expect(hex(second.parent)).toBe(hex(executedHeaderDigest(hasher, first)))
    expect(hex(third.parent)).toBe(hex(executedHeaderDigest(hasher, second)))
    expect(hex(executor.headerDigest)).toBe(hex(executedHeaderDigest(hasher, third)))
  })

  it('have a state root at checkpoint heights, and only there', () => {
    const executor = createExecutor()
    const roots = Array.from({ length: 8 }, () => run(executor).header.stateRoot !== null)
    expect(roots).toEqual([false, false, false, true, false, false, false, true])
  })

  it('are the same on two executors that were given the same blocks', () => {
    const blocks = Array.from({ length: 12 }, (_, index) =>
      blockOf(index + 1, index === 0 ? [open(1, 1)] : [operations(1, { height: 1, index: 0 }, index, [`op ${index}`])]),
    )
    const [left, right] = [createExecutor(), createExecutor()]
    for (const block of blocks) expect(finish(left, block).header).toEqual(finish(right, block).header)
  })
})

describe('a block that is not the next one', () => {
  it('is a mistake of the caller', () => {
    const executor = createExecutor()
    expect(() => executor.execute(blockOf(2, []))).toThrow(/block 2/)
    run(executor)
    expect(() => executor.execute(blockOf(1, []))).toThrow(/block 1/)
    expect(() => executor.execute(blockOf(2, [], 2000, 2))).toThrow(/epoch 2/)
    executor.enterEpoch(2)
    expect(finish(executor, blockOf(2, [], 2000, 2)).header.epoch).toBe(2)
    expect(() => executor.enterEpoch(4)).toThrow(/does not follow/)
  })
})

describe('what no correct leader proposes', () => {
  it('a payload that is no list of envelopes has one result, and the next block goes on', () => {
    const executor = createExecutor()
    const executed = finish(executor, { ...blockOf(1, []), payload: Uint8Array.of(9, 9, 9) })
    expect([executed.leaves.length, executed.envelopes.length, executed.replies.length]).toEqual([1, 0, 0])
    expect(hex(executed.header.resultsRoot)).not.toBe(hex(finish(createExecutor(), blockOf(1, [])).header.resultsRoot))
    expect(run(executor).header.height).toBe(2)
  })

  it('an envelope that is none, or makes no sense, is refused, and those beside it are executed', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const senseless = [
      operations(1, session, 0, ['zero']),
      operations(1, session, 1, []),
      operations(1, session, Number.MAX_SAFE_INTEGER, ['last', 'beyond']),
    ]
    const executed = run(executor, text('garbage'), ...senseless, operations(1, session, 1, ['good']))
    expect(executed.leaves.length).toBe(5)
    expect(words(executed)).toEqual(['1: 1'])
    expect(executed.replies[0]).toMatchObject({ index: 4, height: 2 })
  })

  it('operations beyond the limit of a block are refused, and may come again', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    const thousand = Array.from({ length: 1024 }, () => 'x')
    const envelopes = Array.from({ length: 17 }, (_, index) => operations(1, session, index * 1024 + 1, thousand))
    const executed = run(executor, ...envelopes)
    const last = executed.replies.at(-1)!
    expect(word(last.outcome)).toBe('BlockOverLimit')
    expect(certaintyOf(outcome(last.outcome))).toBe('indefinite')
    expect(executed.replies.length).toBe(16 * 1024 + 1)
    expect(words(run(executor, envelopes[16]!))[0]).toBe('16385: 16385')
  })
})

describe('a state machine that throws', () => {
  it('halts the executor if it cannot undo, naming height and operation', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    let caught: unknown
    try {
      run(executor, operations(1, session, 1, ['fine', 'boom', 'never']))
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(ExecutionHaltedError)
    expect(caught).toMatchObject({ code: 'ERR_EXECUTION_HALTED', height: 2, index: 1 })
    expect((caught as Error).message).toContain('height 2, operation 1: boom')
    expect(executor.halted).toBe(caught)
    expect(() => run(executor)).toThrow(caught as Error)
    expect(word(executor.query(text('')))).toBe('InvalidQuery')
  })

  it('gives an agreed failure if it can, and leaves nothing behind', () => {
    let total = 0
    let before = 0
    const machine = defineStateMachine({
      name: 'adder',
      version: 1,
      command: bytesCodec,
      query: bytesCodec,
      result: bytesCodec,
      create: () => ({
        transactional: true as const,
        begin: () => {
          before = total
        },
        commit: () => {},
        rollback: () => {
          total = before
        },
        apply: (command) => {
          total += command.length
          if (command.length === 3) throw new Error('three')
          return command.length === 5 ? new Uint8Array(1024 * 1024 + 1) : Uint8Array.of(total)
        },
        query: () => Uint8Array.of(total),
        snapshot: () => [],
        restore: () => {},
      }),
    })
    const executor = createExecutor({ machine })
    const session = openSession(executor, 1, 1)
    const executed = run(executor, operations(1, session, 1, ['aa', 'bbb', 'c', 'ddddd']))
    expect(executed.replies.map((reply) => outcome(reply.outcome).kind)).toEqual([
      'executed',
      'operation-failed',
      'executed',
      'operation-failed',
    ])
    expect(total).toBe(3)
    expect(executor.halted).toBeNull()
    // The number stands for the failure: a copy does not try again.
    expect(words(run(executor, operations(1, session, 2, ['bbb'])))).toEqual(['2: operation-failed again'])
    expect(total).toBe(3)
  })

  it('never sees a command that validate refuses; the refusal has consumed the number', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    expect(words(run(executor, operations(1, session, 1, ['a', 'bad', 'b'])))).toEqual([
      '1: 1',
      '2: InvalidCommand',
      '3: 2',
    ])
    expect(words(run(executor, operations(1, session, 2, ['bad'])))).toEqual(['2: InvalidCommand again'])
  })
})

function numberedBlock(height: number): Block {
  return blockOf(height, height === 1 ? [open(1, 1)] : [operations(1, { height: 1, index: 0 }, height - 1, ['a'])])
}

describe('step by step', () => {
  it('comes to the same as all at once', () => {
    const [stepped, whole] = [createExecutor(), createExecutor()]
    const machine = logMachine.create()
    for (let height = 1; height <= 3; height++) {
      stepped.begin(numberedBlock(height))
      let step = stepped.next()
      while (step.kind === 'apply') {
        expect(() => stepped.next()).toThrow(/awaited/)
        stepped.applied({ kind: 'result', result: machine.apply(step.operation, step.context) })
        step = stepped.next()
      }
      expect(step.executed).toEqual(whole.execute(numberedBlock(height)))
    }
    expect(() => stepped.next()).toThrow(/no block/)
    expect(() => stepped.applied({ kind: 'rolled-back' })).toThrow(/no block/)
  })

  it('halts where its driver says so', () => {
    const executor = createExecutor()
    const session = openSession(executor, 1, 1)
    executor.begin(blockOf(2, [operations(1, session, 1, ['a'])]))
    executor.next()
    expect(executor.halt(new Error('disk'))).toMatchObject({ height: 2, index: 0 })
    expect(() => executor.next()).toThrow(/disk/)
  })
})

describe('what an operation draws at random', () => {
  const drawing = defineStateMachine({
    name: 'dice',
    version: 1,
    command: bytesCodec,
    query: bytesCodec,
    result: bytesCodec,
    create: () => ({
      apply: (_command, { random }) => text(`${random.u32()}.${random.u32()}`),
      query: () => text(''),
      snapshot: () => [],
      restore: () => {},
    }),
  })

  it('is the same on every replica, and another for each operation and block', () => {
    const executors = [createExecutor({ machine: drawing }), createExecutor({ machine: drawing })]
    const drawn = executors.map((executor) => {
      const session = openSession(executor, 1, 1)
      const first = words(run(executor, operations(1, session, 1, ['a', 'a'])))
      return [...first, ...words(run(executor, operations(1, session, 3, ['a'])))].map((each) => each.slice(3))
    })
    expect(drawn[0]).toEqual(drawn[1])
    expect(new Set(drawn[0]).size).toBe(3)
  })
})

describe('queries', () => {
  it('answer or are refused, and never throw', () => {
    const executor = createExecutor()
    expect(word(executor.query(text('')))).toBe('0')
    const refusing = defineStateMachine({
      name: 'refuser',
      version: 1,
      command: bytesCodec,
      query: bytesCodec,
      result: bytesCodec,
      create: () => ({
        apply: () => text(''),
        query: () => {
          throw new Error('no')
        },
        snapshot: () => [],
        restore: () => {},
      }),
    })
    expect(word(createExecutor({ machine: refusing }).query(text('')))).toBe('InvalidQuery')
  })
})

// C34: the height is inside what the root covers, so a crash at any point comes back to a state and its height together.
describe('a crash at any point of execution', () => {
  it('restores the checkpoint, replays, and has executed each operation once', () => {
    const session = { height: 1, index: 0 }
    const blocks = Array.from({ length: 11 }, (_, index) =>
      blockOf(index + 1, index === 0 ? [open(1, 1)] : [operations(1, session, index * 2 - 1, ['a', 'b'])]),
    )
    const straight = createExecutor()
    const headers = blocks.map((block) => finish(straight, block).header)
    for (let crash = 4; crash < blocks.length; crash++) {
      for (let steps = 0; steps <= 2; steps++) {
        const executor = createExecutor()
        for (const block of blocks.slice(0, crash)) finish(executor, block)
        const checkpoint = executor.checkpoint!
        const saved = transferred(checkpoint)
        const machine = logMachine.create()
        executor.begin(blocks[crash]!)
        for (let step = 0; step < steps; step++) {
          const next = executor.next()
          if (next.kind === 'apply') {
            executor.applied({ kind: 'result', result: machine.apply(next.operation, next.context) })
          }
        }
        const revived = new Executor({
          machine: logMachine,
          hasher,
          epoch: 1,
          sessions: sessionParameters,
          checkpoints: { intervalHeights: 4 },
        })
        expect(revived.restore(checkpoint.header, saved)).toEqual({ ok: true })
        for (const block of blocks.slice(revived.height)) {
          expect(finish(revived, block).header).toEqual(headers[block.header.height - 1])
        }
        expect(word(revived.query(text('')))).toBe('20')
      }
    }
  })
})
