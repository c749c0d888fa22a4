// What raft promises on disk.

import { list, struct, u53, union, upTo, u16, type Codec } from '../../wire/codec.ts'
import { entryCodec, messageEntriesMax, termMax, type Entry } from './messages.ts'

/** currentTerm and votedFor (Raft figure 2). */
export interface HardState {
  kind: 'hard-state'
  term: number
  /** 0: nobody yet in this term. */
  votedFor: number
}

/** Entries from an index on. Whatever stood at that index or behind it is gone: truncation is part of the append that conflicts. */
export interface Entries {
  kind: 'entries'
  firstIndex: number
  entries: Entry[]
}

export type RaftRecord = HardState | Entries

export const raftRecordCodec: Codec<RaftRecord> = union<RaftRecord>({
  'hard-state': { tag: 1, codec: struct({ term: upTo(u53, termMax), votedFor: u16 }) },
  entries: { tag: 2, codec: struct({ firstIndex: u53, entries: list(entryCodec, messageEntriesMax) }) },
})
