// A replica inside an application: the thirty lines of the README. Run it three times, once for each folder of
// `npx quorate init --dir net`: node .tools/examples/embedded.js net/replica-1

import { createReplica, defineStateMachine, jsonCodec, QuorateError, simpleSnapshot } from '../src/index.ts'

const counter = defineStateMachine({
  name: 'counter',
  version: 1,
  command: jsonCodec<{ add: number }>(),
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
        (bytes) => void (total = Number(new TextDecoder().decode(bytes))),
      ),
    }
  },
})

const folder = process.argv[2] ?? 'net/replica-1'
const network = `${folder}/../network.json`
const replica = await createReplica({ network, identity: folder, dataDir: `${folder}/data`, stateMachine: counter })
process.on('SIGINT', () => void replica.close())
replica.events.on('leader', ({ leader }) => console.log(`replica ${leader ?? 'nobody'} leads`))
try {
  const { result, height } = await replica.submit({ add: 1 }, { deadlineMs: 20_000 })
  console.log(`the counter says ${result} at height ${height}`)
} catch (error) {
  if (error instanceof QuorateError) console.log(`${error.code} (${error.certainty}): ${error.message}`)
}
await replica.closed
