// What raft promises on disk.

import { bool, list, struct, u53, union, upTo, u16, type Codec } from '../../wire/codec.ts'
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

/** The log begins behind this entry: what lies up to it is in a checkpoint. Written anew before the records of before are released. */
export interface LogBase {
  kind: 'base'
  index: number
  term: number
  /** The log did not have this entry: what stood above it is gone too. */
  truncates: boolean
}

export type RaftRecord = HardState | Entries | LogBase

export const raftRecordCodec: Codec<RaftRecord> = union<RaftRecord>({
  'hard-state': { tag: 1, codec: struct({ term: upTo(u53, termMax), votedFor: u16 }) },
  entries: { tag: 2, codec: struct({ firstIndex: u53, entries: list(entryCodec, messageEntriesMax) }) },
  base: { tag: 3, codec: struct({ index: u53, term: upTo(u53, termMax), truncates: bool }) },
})
