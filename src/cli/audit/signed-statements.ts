// What a log shows that members have signed: what holds is told to the witness, who compares it with what other logs show.

import { signingBytes, type SigningDomain } from '../../kernel/domains.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { membershipOf, type Epoch, type Membership } from '../../kernel/membership.ts'
import type { DirectoryFindings } from './findings.ts'
import type { AuditPorts } from './record-auditor.ts'
import type { Witness } from './witness.ts'

export class SignedStatements {
  readonly membership: Membership
  readonly #findings: DirectoryFindings
  readonly #epoch: Epoch
  readonly #ports: AuditPorts
  readonly #witness: Witness

  constructor(findings: DirectoryFindings, epoch: Epoch, ports: AuditPorts, witness: Witness) {
    this.membership = membershipOf(epoch)
    this.#findings = findings
    this.#epoch = epoch
    this.#ports = ports
    this.#witness = witness
  }

  /** False for whoever is no voter: nobody counts what he signs. */
  isSigned(replica: ReplicaId, domain: SigningDomain, about: string, body: Uint8Array, signature: Uint8Array): boolean {
    const member = this.membership.member(replica)
    if (member?.role !== 'voter') return false
    const { network, number, protocol } = this.#epoch
    const signed = signingBytes(domain, { network, epoch: number, protocol }, body)
    if (!this.#ports.verifier.verify(member.consensusKey, signed, signature)) return false
    this.note(replica, domain, about, body)
    return true
  }

  /** Its signature has been checked. */
  note(replica: ReplicaId, domain: SigningDomain, about: string, body: Uint8Array): void {
    this.#witness.statement(this.#findings.path, replica, domain, about, this.#ports.hasher.digest(body))
  }
}
