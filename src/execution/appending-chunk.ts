// A chunk of our own making appends its bytes where somebody hashes them: no buffer is made for each.

import type { Writer } from '../wire/writer.ts'
import type { StateChunk } from './state-chunks.ts'

export const appendTo: unique symbol = Symbol('appendTo')

export interface AppendingChunk extends StateChunk {
  /** The same bytes as `bytes()`. */
  [appendTo](writer: Writer): void
}

export function appendChunk(writer: Writer, chunk: StateChunk | AppendingChunk): void {
  if (appendTo in chunk) chunk[appendTo](writer)
  else writer.raw(chunk.bytes())
}
