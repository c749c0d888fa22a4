// What a sweep and its worker processes say to each other.

import type { Chunk } from './chunks.ts'
import type { SweepOptions } from './run-chunk.ts'
import type { Summary } from './summary.ts'

export interface Work {
  options: SweepOptions
  chunk: Chunk
}

export type WorkerMessage = { kind: 'seed'; seed: number } | { kind: 'done'; summary: Summary }
