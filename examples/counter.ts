// A state machine in one screen, executed as a replica would execute it: blocks in, results and a snapshot out.
// Run it: npx tsc -p tsconfig.tools.json && node .tools/examples/counter.js

import { defineStateMachine, jsonCodec, simpleSnapshot } from '../src/index.ts'

interface Command {
  add: number
}

export const counter = defineStateMachine({
  name: 'counter',
  version: 1,
  command: jsonCodec<Command>(),
  query: jsonCodec<null>(),
  result: jsonCodec<number>(),
  validate: ({ add }) => (Number.isSafeInteger(add) ? null : 'add must be a whole number'),
  create: () => {
    let total = 0
    return {
      apply: ({ add }) => (total += add),
      query: () => total,
      ...simpleSnapshot(
        () => new TextEncoder().encode(String(total)),
        (bytes) => {
          total = Number(new TextDecoder().decode(bytes))
        },
      ),
    }
  },
})

const machine = counter.create()
const context = { height: 1, timestamp: 1_760_000_000_000, index: 0, client: new Uint8Array(32) }
const { createRandom } = await import('../src/kernel/random.ts')
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const result = machine.apply(encode({ add: 41 }), { ...context, random: createRandom(1) })
process.stdout.write(`after adding 41 the counter says ${new TextDecoder().decode(result)}\n`)
const copy = counter.create()
copy.restore(Array.from(machine.snapshot(), (chunk) => ({ id: chunk.id, bytes: chunk.bytes() })))
process.stdout.write(`its copy, restored from a snapshot, says ${new TextDecoder().decode(copy.query(encode(null)))}\n`)
process.stdout.write(`a fraction is refused: ${counter.validate(encode({ add: 0.5 }))}\n`)
