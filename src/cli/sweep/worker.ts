// A process of its own that runs the chunks it is given: `quorate sim --jobs N` starts N of them.

import { runSeed } from '../../simulator/simulation.ts'
import type { Work, WorkerMessage } from './messages.ts'
import { runChunk } from './run-chunk.ts'

process.on('message', ({ options, chunk }: Work) => {
  const summary = runChunk(runSeed, options, chunk, (seed) => send({ kind: 'seed', seed }))
  send({ kind: 'done', summary })
})
// The parent decides when to end; Ctrl-C on a terminal reaches both.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit(0))

function send(message: WorkerMessage): void {
  // A parent that is gone needs no news.
  if (process.connected) process.send!(message)
}
