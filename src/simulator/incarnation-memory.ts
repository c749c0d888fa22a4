/**
 * What each replica has seen of the others' starts, and which processes it lets in: the rule of network/node/peer-links.ts, whose links
 * the simulator does not have. What was seen is on disk, so it outlives a restart, and is lost with the disk.
 */

import type { ReplicaId } from '../kernel/ids.ts'

/** One start of a replica, as a link's greeting shows it. */
export interface Greeting {
  /** From its log. */
  readonly incarnation: number
  /** The how-manieth start of this replica it is in truth; only the world counts it. */
  readonly life: number
}

export class IncarnationMemory {
  readonly #replicas: readonly ReplicaId[]
  readonly #seen = new Map<ReplicaId, Map<ReplicaId, Greeting>>()

  constructor(replicas: readonly ReplicaId[]) {
    this.#replicas = replicas
  }

  /**
   * False: `sender` runs on an old copy of its log, because an earlier process of it had this incarnation or a later one. What an
   * earlier process sent may still arrive, as late as any message.
   */
  admits(receiver: ReplicaId, sender: ReplicaId, greeting: Greeting): boolean {
    const newest = this.#newest(receiver, sender)
    if (newest !== null && greeting.life > newest.life && greeting.incarnation <= newest.incarnation) return false
    if (newest === null || greeting.life > newest.life) this.#of(receiver).set(sender, greeting)
    return true
  }

  /** The newest incarnation that this one has seen of the sender; 0 if none. */
  seenBy(receiver: ReplicaId, sender: ReplicaId): number {
    return this.#newest(receiver, sender)?.incarnation ?? 0
  }

  /** Whoever it talks to, every other one has seen this incarnation of the sender, or a later one. */
  seenByAll(sender: ReplicaId): number {
    const others = this.#replicas.filter((replica) => replica !== sender)
    return Math.min(...others.map((other) => this.seenBy(other, sender)))
  }

  /** Its disk is gone, or is what it was once. */
  forget(receiver: ReplicaId): void {
    this.#seen.delete(receiver)
  }

  #newest(receiver: ReplicaId, sender: ReplicaId): Greeting | null {
    return this.#seen.get(receiver)?.get(sender) ?? null
  }

  #of(receiver: ReplicaId): Map<ReplicaId, Greeting> {
    const known = this.#seen.get(receiver)
    if (known !== undefined) return known
    const made = new Map<ReplicaId, Greeting>()
    this.#seen.set(receiver, made)
    return made
  }
}
