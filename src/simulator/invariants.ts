// What must hold at every moment of every run, seen from outside the replicas.

import { encode } from '../wire/codec.ts'
import { blockHeaderCodec, type BlockHeader } from '../kernel/block.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../kernel/executed-header.ts'
import type { Height, ReplicaId } from '../kernel/ids.ts'
import type { Violation } from './report.ts'
import type { Scheduler } from './scheduler.ts'

interface FirstSeen {
  replica: ReplicaId
  bytes: Uint8Array
}

export class Invariants {
  readonly #scheduler: Scheduler
  readonly #decided = new Map<Height, FirstSeen>()
  readonly #executed = new Map<Height, FirstSeen>()
  readonly #leaders = new Map<number, ReplicaId>()
  violation: Violation | null = null
  heightDecided: Height = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Agreement: no two replicas ever decide different blocks at one height. True the first time a height is decided. */
  decided(replica: ReplicaId, header: BlockHeader): boolean {
    const first = this.#compare(
      this.#decided,
      'agreement',
      'decides',
      replica,
      header.height,
      encode(blockHeaderCodec, header),
    )
    this.heightDecided = Math.max(this.heightDecided, header.height)
    return first
  }

  /** Determinism: execution comes out the same everywhere, results, sessions and time included. */
  headerMade(replica: ReplicaId, header: ExecutedHeader): void {
    const bytes = encode(executedHeaderCodec, header)
    this.#compare(this.#executed, 'execution-agreement', 'executes', replica, header.height, bytes)
  }

  /** A state is taken over from others, or read back from a disk: it is one that was executed. */
  restored(replica: ReplicaId, header: ExecutedHeader): void {
    const bytes = encode(executedHeaderCodec, header)
    const isNew = this.#compare(this.#executed, 'execution-agreement', 'restores', replica, header.height, bytes)
    if (isNew)
      this.violate('invented-state', `replica ${replica} restores height ${header.height}, which nobody executed`)
  }

  /** Election safety: at most one leader in a term, over all restarts (Raft §5.2). */
  leads(replica: ReplicaId, term: number): void {
    const other = this.#leaders.get(term)
    if (other === undefined) this.#leaders.set(term, replica)
    else if (other !== replica)
      this.violate('election-safety', `replicas ${other} and ${replica} both lead term ${term}`)
  }

  violate(invariant: string, explanation: string): void {
    this.violation ??= { invariant, explanation, timeUs: this.#scheduler.nowUs }
  }

  #compare(
    seen: Map<Height, FirstSeen>,
    invariant: string,
    verb: string,
    replica: ReplicaId,
    height: Height,
    bytes: Uint8Array,
  ): boolean {
    const first = seen.get(height)
    if (first === undefined) {
      seen.set(height, { replica, bytes })
      return true
    }
    const same = first.bytes.length === bytes.length && first.bytes.every((byte, index) => byte === bytes[index])
    if (!same) {
      this.violate(
        invariant,
        `replica ${replica} ${verb} another block at height ${height} than replica ${first.replica} did`,
      )
    }
    return false
  }
}
