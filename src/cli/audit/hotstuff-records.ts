// What hotstuff's records claim, verified from the network file alone: each signature in them, each certificate, each decision.

import { encode } from '../../wire/codec.ts'
import type { View } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { HotstuffDecisionProof, QuorumCertificate } from '../../kernel/proof.ts'
import { certificateFault } from '../../protocols/hotstuff/certificates.ts'
import { decisionFault } from '../../protocols/hotstuff/decision.ts'
import { genesisCertificate, isGenesis } from '../../protocols/hotstuff/genesis.ts'
import { headerOf, leaderOf, namesWhatItExtends } from '../../protocols/hotstuff/node-header.ts'
import {
  nodeStatementCodec,
  timeoutStatementCodec,
  type TimeoutCertificate,
} from '../../protocols/hotstuff/messages.ts'
import {
  hotstuffRecordCodec,
  type DecidedRecord,
  type HotstuffRecord,
  type TimeoutRecord,
  type TimeoutsRecord,
  type VotedRecord,
} from '../../protocols/hotstuff/records.ts'
import { highestIn, isJustified } from '../../protocols/hotstuff/rules.ts'
import { nodeDigest, scopeOf, type Verifying } from '../../protocols/hotstuff/statements.ts'
import type { Codec } from '../../wire/codec.ts'
import { provenBy } from './decision.ts'
import { DecidedHeights } from './decided-heights.ts'
import type { DirectoryFindings } from './findings.ts'
import { payloadFault, type AuditPorts, type RecordAuditor } from './record-auditor.ts'
import { SignedStatements } from './signed-statements.ts'
import type { Witness } from './witness.ts'

export class HotstuffAuditor implements RecordAuditor<HotstuffRecord> {
  readonly codec: Codec<HotstuffRecord> = hotstuffRecordCodec
  readonly #findings: DirectoryFindings
  readonly #epoch: Epoch
  readonly #ports: AuditPorts
  readonly #witness: Witness
  readonly #statements: SignedStatements
  readonly #verifying: Verifying
  readonly #genesis: QuorumCertificate
  readonly #heights = new DecidedHeights()

  constructor(findings: DirectoryFindings, epoch: Epoch, ports: AuditPorts, witness: Witness) {
    this.#findings = findings
    this.#epoch = epoch
    this.#ports = ports
    this.#witness = witness
    this.#statements = new SignedStatements(findings, epoch, ports, witness)
    this.#verifying = { scope: scopeOf(epoch), membership: this.#statements.membership, ports }
    this.#genesis = genesisCertificate(epoch, ports.hasher)
  }

  get decided(): number {
    return this.#heights.count
  }

  get gaps(): number {
    return this.#heights.gaps
  }

  judge(record: HotstuffRecord): string | null {
    switch (record.kind) {
      case 'voted':
        return this.#voted(record)
      case 'timeout':
        return this.#timeout(record)
      case 'timeouts':
        return this.#timeouts(record)
      case 'decided':
        return this.#decided(record)
      case 'promises': {
        const fault = this.#certificateFault(record.certificate)
        return fault === null ? null : `promises on a certificate of view ${record.certificate.view} with ${fault}`
      }
    }
  }

  #voted({ proposal }: VotedRecord): string | null {
    const { view, header, payload, justify, timeouts, signature } = proposal
    const { parameters } = this.#epoch
    const what = `a proposal of height ${header.height}, view ${view},`
    if (header.epoch !== this.#epoch.number) return `${what} of another epoch`
    const unfit = payloadFault(this.#ports.hasher, header, payload)
    if (unfit !== null) return `${what} ${unfit}`
    const parent = this.#certificateFault(justify)
    if (parent !== null) return `${what} that extends a certificate with ${parent}`
    const given = timeouts === null ? null : this.#timeoutsFault(timeouts)
    if (given !== null) return `${what} with timeouts of view ${timeouts!.view} with ${given}`
    if (!isJustified(view, justify.view, timeouts, parameters)) return `${what} without a reason for its view`
    const agreed = { membership: this.#statements.membership, parameters }
    if (!namesWhatItExtends(agreed, this.#ports, proposal)) return `${what} that extends another node than it names`
    const node = nodeDigest(this.#ports.hasher, headerOf(agreed, proposal))
    const leader = leaderOf(agreed, proposal)
    const body = encode(nodeStatementCodec, { view, node })
    const isSigned = this.#statements.isSigned(leader, 'hotstuff-proposal', about(view), body, signature)
    return isSigned ? null : `${what} that its leader, replica ${leader}, has not signed`
  }

  /** A log holds its own replica's alone. */
  #timeout({ timeout }: TimeoutRecord): string | null {
    const { view, certificateView, certificate, signature } = timeout
    const what = `a timeout of view ${view}`
    if (certificate.view !== certificateView) return `${what} with another certificate than it names`
    const fault = this.#certificateFault(certificate)
    if (fault !== null) return `${what} on a certificate with ${fault}`
    const { replica } = this.#findings
    const signer = this.#statements.membership.voters.find((voter) => voter === replica)
    const body = encode(timeoutStatementCodec, { view, certificateView })
    const isSigned =
      signer !== undefined && this.#statements.isSigned(signer, 'hotstuff-timeout', about(view), body, signature)
    return isSigned ? null : `${what} that replica ${replica} has not signed`
  }

  #timeouts({ timeouts, certificate }: TimeoutsRecord): string | null {
    const what = `timeouts of view ${timeouts.view}`
    const fault = this.#timeoutsFault(timeouts)
    if (fault !== null) return `${what} with ${fault}`
    const unfit = this.#certificateFault(certificate)
    if (unfit !== null) return `${what} beside a certificate with ${unfit}`
    return certificate.view < highestIn(timeouts) ? `${what} beside a lower certificate than they name` : null
  }

  #decided({ headers, certificates, payload }: DecidedRecord): string | null {
    const block = headers[0]?.block
    if (block === undefined) return 'a decision of nothing'
    const what = `a decision of height ${block.height}, view ${headers[0]!.view},`
    const proof: HotstuffDecisionProof = { kind: 'hotstuff', headers, certificates }
    const fault = decisionFault(this.#epoch, block, proof, this.#ports)
    if (fault !== null) return `${what} with ${fault}`
    const unfit = payloadFault(this.#ports.hasher, block, payload)
    if (unfit !== null) return `${what} ${unfit}`
    for (const certificate of certificates) this.#noteVotes(certificate)
    const { digest, view, signers } = provenBy(this.#ports.hasher, proof)!
    this.#findings.block(block.height, digest)
    this.#witness.decided(this.#findings.path, block.height, digest, view, signers)
    this.#heights.add(block.height)
    return null
  }

  #certificateFault(certificate: QuorumCertificate): string | null {
    if (isGenesis(this.#genesis, certificate)) return null
    const fault = certificateFault(this.#verifying, certificate)
    if (fault === null) this.#noteVotes(certificate)
    return fault
  }

  #noteVotes({ view, node, votes }: QuorumCertificate): void {
    const body = encode(nodeStatementCodec, { view, node })
    for (const { replica } of votes) this.#statements.note(replica, 'hotstuff-vote', about(view), body)
  }

  #timeoutsFault({ view, timeouts }: TimeoutCertificate): string | null {
    if (timeouts.length < this.#statements.membership.quorum) return 'too few signatures'
    const areSigned = timeouts.every(({ replica, certificateView, signature }) => {
      if (certificateView > view) return false
      const body = encode(timeoutStatementCodec, { view, certificateView })
      return this.#statements.isSigned(replica, 'hotstuff-timeout', about(view), body, signature)
    })
    return areSigned ? null : 'a wrong signature'
  }
}

/** As evidence names it (src/protocols/hotstuff/evidence.ts). */
function about(view: View): string {
  return `view ${view}`
}
