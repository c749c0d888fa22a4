// What a replica does with lies that it can prove: judged once more, kept on disk, told to its operator. Never in the way of consensus:
// whatever fails here is told, and nothing else.

import type { Verifier } from '../kernel/crypto-ports.ts'
import { signingDomainOf } from '../kernel/domains.ts'
import type { Evidence } from '../kernel/evidence.ts'
import type { ReplicaId } from '../kernel/ids.ts'
import { judgeEvidence } from '../kernel/judge-evidence.ts'
import type { Epoch } from '../kernel/membership.ts'
import type { ProtocolDefinition } from '../kernel/protocol.ts'
import type { ClosableDirectory } from '../storage/node/open-data-directory.ts'
import { openEvidenceFolder, type EvidenceFolder } from '../storage/node/open-evidence-folder.ts'
import type { ReplicaEvents } from './events.ts'
import type { EvidenceStatus } from './evidence-status.ts'

export interface EvidenceKeeperOptions {
  epoch: Epoch
  definition: Pick<ProtocolDefinition<unknown, unknown>, 'name' | 'contradiction'>
  verifier: Verifier
  events: ReplicaEvents
}

export class EvidenceKeeper {
  readonly #options: EvidenceKeeperOptions
  #folder: EvidenceFolder | null = null
  readonly #accused = new Map<ReplicaId, string>()
  #problem: string | null = null

  constructor(options: EvidenceKeeperOptions) {
    this.#options = options
  }

  /** Resolves whatever the disk says. Rejects only with the signal's reason. */
  async open(
    dataDir: string,
    { signal, openDirectory }: { signal: AbortSignal; openDirectory?: (path: string) => ClosableDirectory },
  ): Promise<void> {
    try {
      this.#folder = await openEvidenceFolder(dataDir, {
        network: this.#options.epoch.network,
        listener: { durable: () => {}, failed: ({ message }) => this.#failed(message) },
        judge: (evidence) => this.#aboutOf(evidence),
        signal,
        ...(openDirectory === undefined ? {} : { openDirectory }),
      })
      for (const { replica, about } of this.#folder.found) this.#accused.set(replica as ReplicaId, about)
    } catch (error) {
      signal.throwIfAborted()
      this.#failed(error instanceof Error ? error.message : String(error))
    }
  }

  accuse(evidence: Evidence): void {
    const { replica, domainTag } = evidence
    const isKeeping = this.#folder !== null
    // A liar makes more of it than is worth a signature's check.
    if (this.#folder?.store.hasRoom(replica) === false) return
    const about = this.#aboutOf(evidence)
    if (about === null) {
      // Whoever accuses has checked: a bug of ours, and no lie of another.
      this.#options.events.emit('protocol', { kind: 'evidence-unfounded', detail: { replica, domainTag } })
      return
    }
    const kept = this.#folder?.store.add(evidence, about) ?? 'lost'
    if (kept === 'known' || (!isKeeping && this.#accused.has(replica))) return
    this.#accused.set(replica, about)
    const domain = signingDomainOf(domainTag) ?? 'unknown'
    this.#options.events.emit('accused', { replica, domain, about, isKept: kept === 'kept' })
  }

  get status(): EvidenceStatus {
    const replicas = [...this.#accused.keys()].sort((left, right) => left - right)
    return { count: this.#folder?.store.count ?? 0, replicas, problem: this.#problem }
  }

  /** For operators: what `quorate status` shows. */
  sentences(): string[] {
    const lies = [...this.#accused].map(
      ([replica, about]) => `has proof that replica ${replica} contradicts itself (${about}): quorate audit shows it`,
    )
    return this.#problem === null ? lies : [...lies, `keeps no evidence: ${this.#problem}`]
  }

  async close(): Promise<void> {
    await this.#folder?.close()
  }

  #aboutOf(evidence: Evidence): string | null {
    const { epoch, definition, verifier } = this.#options
    const verdict = judgeEvidence(evidence, epoch, definition, verifier)
    return verdict.ok ? verdict.about : null
  }

  #failed(message: string): void {
    this.#problem = message
    this.#options.events.emit('protocol', { kind: 'evidence-not-kept', detail: { reason: message } })
  }
}
