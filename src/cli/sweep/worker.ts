// A process of its own that runs the chunks it is given: `quorate sim --jobs N` starts N of them.

import { runSeed } from '../../simulator/simulation.ts'
import { runChunk, type Chunk, type SweepOptions } from './run-chunk.ts'

process.on('message', (message: { options: SweepOptions; chunk: Chunk }) => {
  process.send!({ chunk: message.chunk, summary: runChunk(runSeed, message.options, message.chunk) })
})
// The parent decides when to end; Ctrl-C on a terminal reaches both.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit(0))
