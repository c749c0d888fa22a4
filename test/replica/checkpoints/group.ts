// A small network of keys and agreed data: what several tests of checkpoints are made from.

import { blockDigest, type BlockHeader } from '../../../src/kernel/block.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import type { Digest, SignatureSuite, Signer } from '../../../src/kernel/crypto-ports.ts'
import type { ExecutedHeader } from '../../../src/kernel/executed-header.ts'
import { replicaId, type Height, type ProtocolName, type ReplicaId } from '../../../src/kernel/ids.ts'
import { membershipOf, type Epoch, type Member } from '../../../src/kernel/membership.ts'
import { defaultParameters } from '../../../src/kernel/parameters.ts'
import type { DecisionProof } from '../../../src/kernel/proof.ts'
import { CertificateRules } from '../../../src/kernel/checkpoint-rules.ts'
import { createSimulatedSuite, simulatedHasher } from '../../../src/simulator/simulated-suite.ts'

export interface GroupOptions {
  protocol: ProtocolName
  voters: number
  learners: number
}

export class Group {
  readonly suite: SignatureSuite = createSimulatedSuite()
  readonly epoch: Epoch
  readonly ids: ReplicaId[]
  readonly #signers = new Map<ReplicaId, Signer>()

  constructor({ protocol, voters, learners }: GroupOptions = { protocol: 'pbft', voters: 4, learners: 0 }) {
    this.ids = Array.from({ length: voters + learners }, (_, index) => replicaId(index + 1))
    const members = this.ids.map((id): Member => {
      const signer = this.suite.signer(new Uint8Array(32).fill(id))
      this.#signers.set(id, signer)
      return {
        id,
        name: `org-${id}`,
        role: id <= voters ? 'voter' : 'learner',
        consensusKey: signer.publicKey,
        linkKey: new Uint8Array(32),
        addresses: [],
        priority: 0,
      }
    })
    const network = new Uint8Array(32).fill(7)
    this.epoch = { network, number: 1, firstHeight: 1, protocol, members, parameters: defaultParameters('required') }
  }

  signer(id: ReplicaId): Signer {
    return this.#signers.get(id)!
  }

  get quorum(): ReplicaId[] {
    return this.ids.slice(0, membershipOf(this.epoch).quorum)
  }

  /** Each replica has rules of its own, so that each one's checks are counted. */
  rules(epoch: Epoch = this.epoch): CertificateRules {
    return new CertificateRules({
      epoch,
      hasher: simulatedHasher,
      verifier: this.suite,
      verifyDecision: (block, proof) => proof.kind === 'raft' && proof.index === block.height,
    })
  }

  block(height: Height): BlockHeader {
    return { epoch: 1, height, timestamp: 1000 + height, payloadDigest: new Uint8Array(32).fill(height & 0xff) }
  }

  proof(height: Height): DecisionProof {
    return { kind: 'raft', term: 1, index: height }
  }

  header(height: Height, stateRoot: Digest = new Uint8Array(32).fill(0x57)): ExecutedHeader {
    return {
      epoch: 1,
      height,
      parent: new Uint8Array(32).fill(1),
      blockDigest: blockDigest(simulatedHasher, this.block(height)),
      resultsRoot: new Uint8Array(32).fill(3),
      stateRoot,
      time: 1000 + height,
    }
  }

  sign(id: ReplicaId, header: ExecutedHeader): Uint8Array {
    const rules = this.rules()
    return this.signer(id).sign(rules.signingBytes(rules.body(header)))
  }

  checkpoint(header: ExecutedHeader, signers: readonly ReplicaId[] = this.quorum): Checkpoint {
    const signatures = signers.map((replica) => ({ replica, signature: this.sign(replica, header) }))
    return { header, signatures, block: this.block(header.height), proof: this.proof(header.height) }
  }
}
