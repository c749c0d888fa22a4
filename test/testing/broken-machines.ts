// Small machines for the tests of the checker: one that keeps every rule, and for each rule some that break it.

import { simpleSnapshot } from '../../src/execution/simple-snapshot.ts'
import {
  defineStateMachine,
  type ApplyContext,
  type StateMachine,
  type StateMachineDefinition,
  type StateMachineOptions,
  type TransactionalStateMachine,
} from '../../src/execution/state-machine.ts'
import type { RestoredChunk, StateChunk } from '../../src/execution/state-chunks.ts'
import { jsonCodec } from '../../src/execution/value-codec.ts'
import type { Random } from '../../src/kernel/random.ts'

/** Adds to a named number; "first" answers with the name that the map has first. */
export type Command = { add: string; by: number } | { first: true } | { boom: number }
export type Query = { name: string }
export type Result = number | string | null
type Machine = StateMachine<Command, Query, Result>

export type Numbers = Map<string, number>

const names = ['a', 'b', 'c', 'd']

export function drawCommand(random: Random): Command {
  if (random.chance(1, 6)) return { first: true }
  return { add: random.pick(names), by: random.between(1, 5) }
}

export function drawQuery(random: Random): Query {
  return { name: random.pick(names) }
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const read = (bytes: Uint8Array): [string, number][] =>
  JSON.parse(new TextDecoder().decode(bytes)) as [string, number][]

export const sorted = (numbers: Numbers): [string, number][] =>
  [...numbers].sort(([left], [right]) => (left < right ? -1 : 1))

export function fill(numbers: Numbers, entries: readonly [string, number][]): void {
  for (const [name, value] of entries) numbers.set(name, value)
}

export function applyTo(numbers: Numbers, command: Command): Result {
  if ('boom' in command) return null
  if ('first' in command) return sorted(numbers)[0]?.[0] ?? null
  const value = (numbers.get(command.add) ?? 0) + command.by
  numbers.set(command.add, value)
  return value
}

/** A machine that is right, but for what is put in place of its own. */
export function machineWith(
  change: (numbers: Numbers, right: Machine) => Partial<Machine>,
  options: Partial<StateMachineOptions<Command, Query, Result>> = {},
): StateMachineDefinition<Command, Query, Result> {
  return defineStateMachine<Command, Query, Result>({
    name: 'numbers',
    version: 1,
    command: jsonCodec<Command>({ check: isCommand }),
    query: jsonCodec<Query>({ check: (value): value is Query => typeof value === 'object' && value !== null }),
    result: jsonCodec<Result>(),
    create: () => {
      const numbers: Numbers = new Map()
      const right: Machine = {
        apply: (command) => applyTo(numbers, command),
        query: ({ name }) => numbers.get(name) ?? null,
        ...simpleSnapshot(
          () => encode(sorted(numbers)),
          (bytes) => fill(numbers, read(bytes)),
        ),
      }
      return { ...right, ...change(numbers, right) }
    },
    ...options,
  })
}

function isCommand(value: unknown): value is Command {
  if (typeof value !== 'object' || value === null) return false
  return 'first' in value || 'boom' in value || ('add' in value && 'by' in value && typeof value.by === 'number')
}

export const right = machineWith(() => ({}))

/** One chunk for each name, with a version of its own. */
function chunked(numbers: Numbers, versions: (name: string) => number): Pick<Machine, 'snapshot' | 'restore'> {
  return {
    snapshot: (): StateChunk[] =>
      sorted(numbers).map(([name, value]) => ({
        id: name,
        version: versions(name),
        bytes: () => encode([[name, value]]),
      })),
    restore: (chunks: Iterable<RestoredChunk>) => {
      for (const { bytes } of chunks) fill(numbers, read(bytes))
    },
  }
}

export const rightInChunks = machineWith((numbers, base) => {
  const versions = new Map<string, number>()
  return {
    ...chunked(numbers, (name) => versions.get(name) ?? 0),
    apply: (command: Command, context: ApplyContext) => {
      if ('add' in command) versions.set(command.add, context.height * 10_000 + context.index)
      return base.apply(command, context)
    },
  }
})

/** A copy is put back by rollback; `undoes` says whether that is done well. */
export function transactional(undoes: boolean): StateMachineDefinition<Command, Query, Result> {
  return machineWith((numbers, base) => {
    let before: [string, number][] = []
    const machine: Partial<TransactionalStateMachine<Command, Query, Result>> = {
      transactional: true,
      apply: (command, context) => {
        const result = base.apply(command, context)
        // Half-way: what was added must be undone.
        if ('add' in command && command.by === 3) throw new Error('no threes')
        return result
      },
      begin: () => {
        before = [...numbers]
      },
      commit: () => {},
      rollback: () => {
        if (undoes) numbers.clear()
        fill(numbers, before)
      },
    }
    return machine
  })
}

export const sharedCount = { value: 0 }
const appliedCount = { value: 0 }

/** By the rule that each breaks, machines that must be found. */
export const broken: readonly (readonly [rule: string, how: string, StateMachineDefinition<Command, Query, Result>])[] =
  [
    [
      'determinism',
      'reads Math.random',
      machineWith((_, base) => ({ apply: (...of) => (Math.random() < 0.05 ? -1 : base.apply(...of)) })),
    ],
    ['determinism', 'reads Date.now', machineWith(() => ({ apply: () => Date.now() }))],
    ['determinism', 'reads new Date()', machineWith(() => ({ apply: () => new Date().toISOString() }))],
    ['determinism', 'reads performance.now', machineWith(() => ({ apply: () => performance.now() }))],
    ['determinism', 'counts in its module', machineWith(() => ({ apply: () => ++sharedCount.value }))],
    [
      'determinism',
      'writes the clock into its snapshot alone',
      machineWith((numbers) => ({
        ...simpleSnapshot(
          () => encode([...sorted(numbers), ['at', Date.now()]]),
          (bytes) => fill(numbers, read(bytes).slice(0, -1)),
        ),
      })),
    ],
    [
      'restore',
      'answers by the order in which its map was filled',
      machineWith((numbers, base) => ({
        apply: (command, context) =>
          'first' in command ? ([...numbers.keys()][0] ?? null) : base.apply(command, context),
      })),
    ],
    [
      'restore',
      'forgets a part of its state',
      machineWith((numbers, base) => {
        let count = 0
        return { apply: (command, context) => (base.apply(command, context), numbers.size + ++count) }
      }),
    ],
    [
      'restore',
      'reads less than it wrote',
      machineWith((numbers) => ({
        ...simpleSnapshot(
          () => encode(sorted(numbers)),
          (bytes) => fill(numbers, read(bytes).slice(0, 2)),
        ),
      })),
    ],
    [
      'restore',
      'throws on its own snapshot',
      machineWith(() => ({
        restore: () => {
          throw new Error('no such format')
        },
      })),
    ],
    [
      'frozen-snapshot',
      'gives chunks that read the state of later',
      machineWith((numbers) => ({
        snapshot: () => [{ id: 'all', version: ++sharedCount.value, bytes: () => encode(sorted(numbers)) }],
        restore: (chunks) => {
          for (const { bytes } of chunks) fill(numbers, read(bytes))
        },
      })),
    ],
    [
      'late-snapshot',
      'gives a generator, which goes through the state of later',
      machineWith((numbers) => ({
        *snapshot() {
          const bytes = encode(sorted(numbers))
          yield { id: 'all', version: ++sharedCount.value, bytes: () => bytes }
        },
        restore: (chunks) => {
          for (const { bytes } of chunks) fill(numbers, read(bytes))
        },
      })),
    ],
    [
      'late-snapshot',
      'gives chunks that read the state when they are first asked',
      machineWith((numbers) => ({
        snapshot: () => {
          let bytes: Uint8Array | null = null
          return [{ id: 'all', version: ++sharedCount.value, bytes: () => (bytes ??= encode(sorted(numbers))) }]
        },
        restore: (chunks) => {
          for (const { bytes } of chunks) fill(numbers, read(bytes))
        },
      })),
    ],
    ['chunk-versions', 'forgets to raise a version', machineWith((numbers) => chunkedAtVersion(numbers, 1))],
    [
      'chunks',
      'names two chunks alike',
      machineWith(() => ({
        snapshot: () => [1, 2].map((version) => ({ id: 'same', version, bytes: () => encode([]) })),
      })),
    ],
    [
      'queries',
      'counts what it is asked',
      machineWith((numbers) => ({
        query: ({ name }) => {
          numbers.set(name, 1 + (numbers.get(name) ?? 0))
          return null
        },
      })),
    ],
    [
      'queries',
      'remembers a query where no snapshot shows it',
      machineWith((_, base) => {
        let asked = 0
        return {
          query: () => (asked++, null),
          apply: (...of) => (asked > 10 ? 'enough' : base.apply(...of)),
        }
      }),
    ],
    ['queries', 'answers with the clock', machineWith(() => ({ query: () => Date.now() }))],
    [
      'validate',
      'reads what commands have done',
      machineWith(
        (_, base) => ({
          apply: (command, context) => {
            if ('add' in command) appliedCount.value++
            return base.apply(command, context)
          },
        }),
        { validate: (command) => ('first' in command && appliedCount.value % 2 === 1 ? 'odd' : null) },
      ),
    ],
    ['validate', 'draws', machineWith(() => ({}), { validate: () => (Math.random() < 0.5 ? 'unlucky' : null) })],
    [
      'validate',
      'throws',
      machineWith(() => ({}), {
        validate: (command) => {
          if ('first' in command) throw new Error('not now')
          return null
        },
      }),
    ],
    [
      'apply',
      'throws on a command that validate let through',
      machineWith((_, base) => ({
        apply: (command, context) => {
          if ('add' in command && command.by === 3) throw new Error('no threes')
          return base.apply(command, context)
        },
      })),
    ],
    [
      'apply',
      'throws in beginBlock',
      machineWith(() => ({
        beginBlock: ({ height }) => {
          if (height > 4) throw new Error('too high')
        },
      })),
    ],
    ['rollback', 'undoes half', transactional(false)],
    [
      'limits',
      'answers with too much',
      machineWith(() => ({ apply: () => 'x'.repeat(1024 * 1024) }), {
        result: jsonCodec<Result>({ bytesMax: 4 * 1024 * 1024 }),
      }),
    ],
    [
      'codecs',
      'accepts white space before a command',
      machineWith(() => ({}), {
        command: {
          encode,
          decode: (bytes) => {
            try {
              return { ok: true, value: JSON.parse(new TextDecoder().decode(bytes)) as Command }
            } catch {
              return { ok: false, reason: 'no JSON' }
            }
          },
        },
      }),
    ],
    [
      'codecs',
      'throws on bytes that are no command',
      machineWith(() => ({}), {
        command: {
          encode,
          decode: (bytes) => ({ ok: true, value: JSON.parse(new TextDecoder().decode(bytes)) as Command }),
        },
      }),
    ],
    [
      'codecs',
      'writes a result that it does not read',
      machineWith(() => ({}), {
        result: { encode, decode: () => ({ ok: false, reason: 'unknown' }) },
      }),
    ],
  ]

function chunkedAtVersion(numbers: Numbers, version: number): Partial<Machine> {
  const { restore } = chunked(numbers, () => version)
  return {
    restore,
    snapshot: () =>
      sorted(numbers).map(([name, value]) => {
        const bytes = encode([[name, value]])
        return { id: name, version, bytes: () => bytes }
      }),
  }
}
