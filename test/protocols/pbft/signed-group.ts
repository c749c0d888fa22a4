// Voters with real keys, and what they sign: what tests of proofs, evidence and audits are made from.

import { encode } from '../../../src/wire/codec.ts'
import { blockDigest, payloadDigest, type Block, type BlockHeader } from '../../../src/kernel/block.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import type { Digest, Signer } from '../../../src/kernel/crypto-ports.ts'
import { signingBytes, type SigningDomain } from '../../../src/kernel/domains.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../../../src/kernel/executed-header.ts'
import { replicaId, type Height, type ReplicaId, type View } from '../../../src/kernel/ids.ts'
import { membershipOf, type Epoch, type Member, type Membership } from '../../../src/kernel/membership.ts'
import { defaultParameters } from '../../../src/kernel/parameters.ts'
import type { PbftDecisionProof, SignatureSet } from '../../../src/kernel/proof.ts'
import { nodeEd25519 } from '../../../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../../src/crypto/node/sha256-hasher.ts'
import {
  newViewBodyCodec,
  statementCodec,
  viewChangeBodyCodec,
  type NewView,
  type PreparedCertificate,
  type Statement,
  type ViewChange,
} from '../../../src/protocols/pbft/messages.ts'

export const ports = { hasher: nodeHasher, verifier: nodeEd25519 }
export const domainOf = { 'pre-prepare': 'pbft-pre-prepare', prepare: 'pbft-prepare', commit: 'pbft-commit' } as const

export class SignedGroup {
  readonly epoch: Epoch
  readonly membership: Membership
  readonly #signers = new Map<ReplicaId, Signer>()

  /** With keys of its own, or with those of a network that there is. */
  constructor(
    voters = 4,
    learners = 0,
    network = 7,
    given?: { epoch: Epoch; signers: ReadonlyMap<ReplicaId, Signer> },
  ) {
    const ids = Array.from({ length: voters + learners }, (_, index) => replicaId(index + 1))
    const members = ids.map((id): Member => {
      const signer = nodeEd25519.signer(new Uint8Array(32).fill(id))
      this.#signers.set(id, signer)
      return {
        id,
        name: `org-${id}`,
        role: id <= voters ? 'voter' : 'learner',
        consensusKey: signer.publicKey,
        linkKey: new Uint8Array(32).fill(id),
        addresses: [],
        priority: 0,
      }
    })
    for (const [id, signer] of given?.signers ?? []) this.#signers.set(id, signer)
    this.epoch = given?.epoch ?? {
      network: new Uint8Array(32).fill(network),
      number: 1,
      firstHeight: 1,
      protocol: 'pbft',
      members,
      parameters: defaultParameters('required'),
    }
    this.membership = membershipOf(this.epoch)
  }

  get quorum(): ReplicaId[] {
    return this.membership.voters.slice(0, this.membership.quorum)
  }

  primary(view: View): ReplicaId {
    return this.membership.voters[view % this.membership.voters.length]!
  }

  sign(replica: ReplicaId, domain: SigningDomain, body: Uint8Array): Uint8Array {
    const { network, number, protocol } = this.epoch
    return this.#signers.get(replica)!.sign(signingBytes(domain, { network, epoch: number, protocol }, body))
  }

  vote(replica: ReplicaId, phase: keyof typeof domainOf, statement: Statement): Uint8Array {
    return this.sign(replica, domainOf[phase], encode(statementCodec, statement))
  }

  votes(replicas: readonly ReplicaId[], phase: keyof typeof domainOf, statement: Statement): SignatureSet {
    return replicas.map((replica) => ({ replica, signature: this.vote(replica, phase, statement) }))
  }

  block(height: Height, byte = 0): Block {
    const payload = Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, byte)
    return { header: { epoch: 1, height, timestamp: 1000 + height, payloadDigest: digestOf(payload) }, payload }
  }

  proof(header: BlockHeader, view: View = 0, signers: readonly ReplicaId[] = this.quorum): PbftDecisionProof {
    const digest = blockDigest(nodeHasher, header)
    return {
      kind: 'pbft',
      view,
      blockDigest: digest,
      commits: this.votes(signers, 'commit', { view, height: header.height, digest }),
    }
  }

  certificate(header: BlockHeader, view: View): PreparedCertificate {
    const statement = { view, height: header.height, digest: blockDigest(nodeHasher, header) }
    const primary = this.primary(view)
    const backups = this.membership.voters.filter((id) => id !== primary).slice(0, this.membership.quorum - 1)
    return {
      view,
      header,
      signature: this.vote(primary, 'pre-prepare', statement),
      prepares: this.votes(backups, 'prepare', statement),
    }
  }

  viewChange(sender: ReplicaId, view: View, rest: Partial<ViewChange> = {}): ViewChange {
    const body = { view, sender, checkpoint: null, prepared: [], ...rest }
    const signature = this.sign(sender, 'pbft-view-change', encode(viewChangeBodyCodec, body))
    return { kind: 'view-change', ...body, signature }
  }

  newView(view: View, rest: Partial<NewView> = {}): NewView {
    const body = { view, cited: [], prePrepares: [], ...rest }
    const signature = this.sign(this.primary(view), 'pbft-new-view', encode(newViewBodyCodec, body))
    return { kind: 'new-view', ...body, signature }
  }

  executed(block: BlockHeader, rest: Partial<ExecutedHeader> = {}): ExecutedHeader {
    const digest = (byte: number): Digest => new Uint8Array(32).fill(byte)
    const { height, timestamp } = block
    const roots = { parent: digest(1), resultsRoot: digest(3), stateRoot: digest(4) }
    return { epoch: 1, height, ...roots, blockDigest: blockDigest(nodeHasher, block), time: timestamp, ...rest }
  }

  checkpoint(block: BlockHeader, rest: Partial<ExecutedHeader> = {}, signers = this.quorum): Checkpoint {
    const header = this.executed(block, rest)
    const body = encode(executedHeaderCodec, header)
    const signatures = signers.map((replica) => ({ replica, signature: this.sign(replica, 'checkpoint', body) }))
    return { header, signatures, block, proof: this.proof(block) }
  }
}

function digestOf(payload: Uint8Array): Digest {
  return payloadDigest(nodeHasher, payload)
}
