// A transfer as an operator sees it.

import type { Height, ReplicaId } from '../../kernel/ids.ts'

export interface TransferStatus {
  phase: 'idle' | 'asking' | 'manifest' | 'checking' | 'chunks' | 'writing' | 'waiting'
  /** Why it waits before it tries all servers anew. */
  why: string | null
  minimumHeight: Height
  /** Of the checkpoint that is fetched. */
  height: Height | null
  /** To be fetched in this round, and still missing; null before the manifest is there. */
  chunks: number | null
  chunksLeft: number | null
  bytes: number | null
  /** The disk takes no more for now. */
  paused: boolean
  /** In the order in which they are asked; bytes and chunks are those that were of use. */
  servers: readonly { replica: ReplicaId; bytes: number; chunks: number; lied: string | null; spent: boolean }[]
}
