import { describe, expect, it } from 'vitest'
import { simpleSnapshot, simpleSnapshotBytesMax } from '../../src/execution/simple-snapshot.ts'
import { defineStateMachine, type StateMachineOptions } from '../../src/execution/state-machine.ts'
import { jsonCodec } from '../../src/execution/value-codec.ts'
import type { RestoredChunk } from '../../src/execution/state-chunks.ts'
import { text } from './fixtures.ts'

interface Add {
  add: number
}

const options: StateMachineOptions<Add, null, number> = {
  name: 'counter',
  version: 1,
  command: jsonCodec<Add>(),
  query: jsonCodec<null>(),
  result: jsonCodec<number>(),
  validate: ({ add }) => (add > 0 ? null : 'only upwards'),
  create: () => {
    let total = 0
    return {
      apply: ({ add }) => (total += add),
      query: () => total,
      ...simpleSnapshot(
        () => text(String(total)),
        (bytes) => {
          total = Number(new TextDecoder().decode(bytes))
        },
      ),
    }
  },
}
const counter = defineStateMachine(options)
const context = { height: 1, timestamp: 1, index: 0, client: text(''), random: null as never }

describe('a defined state machine', () => {
  it('takes and gives bytes, validates without state, and knows its types', () => {
    const machine = counter.create()
    expect(machine.transactional).toBe(false)
    expect(counter.result.decode(machine.apply(counter.command.encode({ add: 3 }), context))).toEqual({
      ok: true,
      value: 3,
    })
    expect(counter.validate(counter.command.encode({ add: 0 }))).toBe('only upwards')
    expect(counter.validate(text('{'))).toBe('no canonical JSON')
    expect(counter.validate(text('{"add":1}'))).toBeNull()
    expect(() => machine.apply(text('{'), context)).toThrow(TypeError)
    // @ts-expect-error A command of another shape does not compile.
    expect(counter.command.encode({ subtract: 1 })).toBeDefined()
  })

  it('decodes a command once to validate and to apply it, and hands what it decoded to one apply', () => {
    let decodings = 0
    const command = {
      ...options.command,
      decode: (bytes: Uint8Array) => {
        decodings++
        return options.command.decode(bytes)
      },
    }
    const commands: Add[] = []
    const counting = defineStateMachine({
      ...options,
      command,
      create: () => ({
        ...options.create(),
        apply: (add: Add) => {
          commands.push(add)
          const total = add.add
          add.add = -1
          return total
        },
      }),
    })
    const [one, two] = [counting.create(), counting.create()]
    const applied = (machine: typeof one, bytes: Uint8Array) => new TextDecoder().decode(machine.apply(bytes, context))
    const bytes = text('{"add":3}')
    const other = text('{"add":4}')
    expect(counting.validate(bytes)).toBeNull()
    expect(applied(one, bytes)).toBe('3')
    expect(decodings).toBe(1)
    // A second machine that is given the same bytes does not get what the first has made of the command.
    expect(applied(two, bytes)).toBe('3')
    // Nor is a command taken for another that was validated in between, or that was refused.
    expect(counting.validate(bytes)).toBeNull()
    expect(counting.validate(other)).toBeNull()
    expect(applied(one, bytes)).toBe('3')
    expect(applied(one, other)).toBe('4')
    const refused = text('{"add":0}')
    expect(counting.validate(refused)).not.toBeNull()
    expect(applied(one, refused)).toBe('0')
    expect(new Set(commands).size).toBe(5)
  })

  it('starts anew with each create', () => {
    const first = counter.create()
    first.apply(text('{"add":3}'), context)
    expect(counter.create().query(text('null'))).toEqual(text('0'))
    expect(first.query(text('null'))).toEqual(text('3'))
  })

  it('needs a name and a version', () => {
    expect(() => defineStateMachine({ ...options, name: '' })).toThrow(/option name is ""/)
    expect(() => defineStateMachine({ ...options, version: 0 })).toThrow(/option version is 0/)
    expect(() => defineStateMachine({ ...options, version: 1.5 })).toThrow(/option version is 1.5/)
  })
})

function part(id: string, size = 1): RestoredChunk {
  return { id, bytes: new Uint8Array(size) }
}

describe('a simple snapshot', () => {
  it('is cut in parts, of which only those that changed have a new version, and is frozen', () => {
    const state = new Uint8Array(200_000)
    const { snapshot, restore } = simpleSnapshot(
      () => state,
      (bytes) => state.set(bytes),
    )
    const first = [...snapshot()]
    const bytes = first.map((chunk) => chunk.bytes().slice())
    state[100_000] = 1
    const second = [...snapshot()]
    expect(second.map(({ version }, index) => version === first[index]!.version)).toEqual([true, false, true, true])
    expect(first.map((chunk) => chunk.bytes())).toEqual(bytes)
    expect(second.map(({ id }) => id)).toEqual(first.map(({ id }) => id))
    restore(first.map(({ id, bytes }) => ({ id, bytes: bytes() })))
    expect(state).toEqual(new Uint8Array(200_000))
  })

  it('has a limit, and takes parts only in their order', () => {
    const large = simpleSnapshot(
      () => new Uint8Array(simpleSnapshotBytesMax + 1),
      () => {},
    )
    expect(() => large.snapshot()).toThrow(/16777217 bytes/)
    expect(() => large.restore([part('part/0001')])).toThrow(/not the next part/)
    expect(() => large.restore([part('part/0000', simpleSnapshotBytesMax), part('part/0001')])).toThrow(/more than/)
  })
})
