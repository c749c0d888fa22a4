// What makes a checkpoint's signatures worth something: who may sign, what is signed, and how a certificate is judged whole.

import { encode } from '../wire/codec.ts'
import { blockDigest, type BlockHeader } from './block.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Hasher, Verifier } from './crypto-ports.ts'
import { signingBytes } from './domains.ts'
import { executedHeaderCodec, type ExecutedHeader } from './executed-header.ts'
import type { ReplicaId } from './ids.ts'
import { membershipOf, type Epoch, type Membership } from './membership.ts'
import type { DecisionProof } from './proof.ts'
import { equalBytes } from '../wire/equal-bytes.ts'

export interface CertificateRulesOptions {
  epoch: Epoch
  hasher: Hasher
  verifier: Verifier
  /** The protocol's own rule (ProtocolDefinition.verifyDecision), with this epoch. */
  verifyDecision: (block: BlockHeader, proof: DecisionProof) => boolean
}

export class CertificateRules {
  readonly membership: Membership
  readonly epoch: Epoch
  readonly #options: CertificateRulesOptions
  /** Signatures verified: what tests and metrics ask. */
  checked = 0

  constructor(options: CertificateRulesOptions) {
    this.#options = options
    this.epoch = options.epoch
    this.membership = membershipOf(options.epoch)
  }

  /** What is signed stands alone in evidence, so it is the header's own encoding. */
  body(header: ExecutedHeader): Uint8Array {
    return encode(executedHeaderCodec, header)
  }

  signingBytes(body: Uint8Array): Uint8Array {
    const { network, number, protocol } = this.#options.epoch
    return signingBytes('checkpoint', { network, epoch: number, protocol }, body)
  }

  /** True only for a voter: learners follow, and vouch for nothing. */
  verify(replica: ReplicaId, body: Uint8Array, signature: Uint8Array): boolean {
    const member = this.membership.member(replica)
    if (member === undefined || !this.membership.isVoter(replica)) return false
    this.checked++
    return this.#options.verifier.verify(member.consensusKey, this.signingBytes(body), signature)
  }

  /** Null, or why this is no checkpoint of this epoch. The cheap questions come first. */
  fault(checkpoint: Checkpoint): string | null {
    const { header, signatures, block, proof } = checkpoint
    if (header.epoch !== this.epoch.number || block.epoch !== header.epoch) return 'another epoch'
    if (header.stateRoot === null) return 'no state root'
    if (block.height !== header.height || header.time < block.timestamp) return 'header and block do not fit'
    if (signatures.length < this.membership.quorum) return 'too few signatures'
    if (signatures.length > this.membership.voters.length) return 'more signatures than voters'
    if (new Set(signatures.map(({ replica }) => replica)).size !== signatures.length) return 'one signer twice'
    if (!equalBytes(blockDigest(this.#options.hasher, block), header.blockDigest)) return 'header and block do not fit'
    const body = this.body(header)
    if (!signatures.every(({ replica, signature }) => this.verify(replica, body, signature))) return 'a wrong signature'
    if (!this.#options.verifyDecision(block, proof)) return 'a block that is not decided'
    return null
  }
}
