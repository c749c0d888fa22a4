import type { ReplicaId } from '../kernel/ids.ts'

export interface EvidenceStatus {
  /** Contradictions that are kept. */
  count: number
  /** Who has made them. */
  replicas: ReplicaId[]
  /** Why evidence is not kept, in a sentence; null if it is. */
  problem: string | null
}
