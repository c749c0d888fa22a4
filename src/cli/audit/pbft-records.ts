// What pbft's records claim, verified from the network file alone: each signature in them, each certificate, each decision.

import { encode } from '../../wire/codec.ts'
import { blockDigest, type BlockHeader } from '../../kernel/block.ts'
import { CertificateRules } from '../../kernel/checkpoint-rules.ts'
import type { SigningDomain } from '../../kernel/domains.ts'
import type { Height, ReplicaId, View } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { SignatureSet } from '../../kernel/proof.ts'
import { decisionFault, isDecided } from '../../protocols/pbft/decision.ts'
import {
  newViewBodyCodec,
  statementCodec,
  viewChangeBodyCodec,
  type NewView,
  type PreparedCertificate,
  type Statement,
  type ViewChange,
} from '../../protocols/pbft/messages.ts'
import {
  pbftRecordCodec,
  type DecidedRecord,
  type PbftRecord,
  type ProposalRecord,
} from '../../protocols/pbft/records.ts'
import type { Codec } from '../../wire/codec.ts'
import { DecidedHeights } from './decided-heights.ts'
import type { DirectoryFindings } from './findings.ts'
import { payloadFault, type AuditPorts, type RecordAuditor } from './record-auditor.ts'
import { SignedStatements } from './signed-statements.ts'
import type { Witness } from './witness.ts'

export class PbftAuditor implements RecordAuditor<PbftRecord> {
  readonly codec: Codec<PbftRecord> = pbftRecordCodec
  readonly #findings: DirectoryFindings
  readonly #epoch: Epoch
  readonly #statements: SignedStatements
  readonly #rules: CertificateRules
  readonly #ports: AuditPorts
  readonly #witness: Witness
  readonly #heights = new DecidedHeights()

  constructor(findings: DirectoryFindings, epoch: Epoch, ports: AuditPorts, witness: Witness) {
    this.#findings = findings
    this.#epoch = epoch
    this.#ports = ports
    this.#witness = witness
    const { hasher, verifier } = ports
    const verifyDecision = (header: BlockHeader, proof: Parameters<typeof isDecided>[2]): boolean =>
      isDecided(epoch, header, proof, ports)
    this.#rules = new CertificateRules({ epoch, hasher, verifier, verifyDecision })
    this.#statements = new SignedStatements(findings, epoch, ports, witness)
  }

  get decided(): number {
    return this.#heights.count
  }

  get gaps(): number {
    return this.#heights.gaps
  }

  judge(record: PbftRecord): string | null {
    switch (record.kind) {
      case 'proposal':
        return this.#proposal(record)
      case 'prepared':
        return this.#prepared(record.certificate)
      case 'decided':
        return this.#decided(record)
      case 'view-change':
        return this.#viewChange(record.viewChange)
      case 'new-view':
        return this.#newView(record.newView)
      case 'checkpoint': {
        const fault = this.#rules.fault(record.checkpoint)
        return fault === null ? null : `a checkpoint of height ${record.checkpoint.header.height} with ${fault}`
      }
    }
  }

  #proposal({ view, header, signature, payload }: ProposalRecord): string | null {
    const what = `a proposal of height ${header.height}, view ${view},`
    if (header.epoch !== this.#epoch.number) return `${what} of another epoch`
    const fault = payloadFault(this.#ports.hasher, header, payload)
    if (fault !== null) return `${what} ${fault}`
    const statement = { view, height: header.height, digest: blockDigest(this.#ports.hasher, header) }
    const primary = this.#primary(view)
    return this.#isVote(primary, 'pbft-pre-prepare', statement, signature)
      ? null
      : `${what} that its primary, replica ${primary}, has not signed`
  }

  /** A quorum together: the primary's pre-prepare, and prepares of others (PBFT §4.2). */
  #prepared({ view, header, signature, prepares }: PreparedCertificate): string | null {
    const what = `a prepared certificate of height ${header.height}, view ${view},`
    const primary = this.#primary(view)
    const signers = prepares.map(({ replica }) => replica)
    const areVoters = signers.every((replica) => this.#statements.membership.isVoter(replica) && replica !== primary)
    if (header.epoch !== this.#epoch.number) return `${what} of another epoch`
    if (!areVoters || signers.length < this.#statements.membership.quorum - 1) return `${what} without a quorum`
    const statement = { view, height: header.height, digest: blockDigest(this.#ports.hasher, header) }
    const isSigned =
      this.#isVote(primary, 'pbft-pre-prepare', statement, signature) &&
      this.#areVotes(prepares, 'pbft-prepare', statement)
    return isSigned ? null : `${what} with a wrong signature`
  }

  #decided({ header, view, commits, payload }: DecidedRecord): string | null {
    const { height } = header
    const what = `a decision of height ${height}, view ${view},`
    const digest = blockDigest(this.#ports.hasher, header)
    const fault = decisionFault(this.#epoch, header, { kind: 'pbft', view, blockDigest: digest, commits }, this.#ports)
    if (fault !== null) return `${what} with ${fault}`
    const unfit = payloadFault(this.#ports.hasher, header, payload)
    if (unfit !== null) return `${what} ${unfit}`
    const body = encode(statementCodec, { view, height, digest })
    for (const { replica } of commits) this.#statements.note(replica, 'pbft-commit', about(view, height), body)
    this.#findings.block(height, digest)
    this.#witness.decided(
      this.#findings.path,
      height,
      digest,
      view,
      commits.map(({ replica }) => replica),
    )
    this.#heights.add(height)
    return null
  }

  #viewChange(viewChange: ViewChange): string | null {
    const { view, sender, signature } = viewChange
    const body = encode(viewChangeBodyCodec, viewChange)
    const isSigned = this.#statements.isSigned(sender, 'pbft-view-change', `view ${view}`, body, signature)
    return isSigned ? null : `a view change to view ${view} that replica ${sender} has not signed`
  }

  #newView(newView: NewView): string | null {
    const { view, cited, signature } = newView
    const primary = this.#primary(view)
    const body = encode(newViewBodyCodec, newView)
    const areVoters = cited.every(({ sender }) => this.#statements.membership.isVoter(sender))
    if (!areVoters || cited.length < this.#statements.membership.quorum)
      return `a new view ${view} that no quorum asked for`
    const isSigned = this.#statements.isSigned(primary, 'pbft-new-view', `view ${view}`, body, signature)
    return isSigned ? null : `a new view ${view} that its primary, replica ${primary}, has not signed`
  }

  #areVotes(votes: SignatureSet, domain: SigningDomain, statement: Statement): boolean {
    return votes.every(({ replica, signature }) => this.#isVote(replica, domain, statement, signature))
  }

  #isVote(replica: ReplicaId, domain: SigningDomain, statement: Statement, signature: Uint8Array): boolean {
    const body = encode(statementCodec, statement)
    return this.#statements.isSigned(replica, domain, about(statement.view, statement.height), body, signature)
  }

  #primary(view: View): ReplicaId {
    const { voters } = this.#statements.membership
    return voters[view % voters.length]!
  }
}

function about(view: View, height: Height): string {
  return `view ${view}, height ${height}`
}
