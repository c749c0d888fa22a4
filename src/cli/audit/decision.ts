// What a proof of a decision says: which block, in which view, by whose word.

import { blockDigest } from '../../kernel/block.ts'
import type { Digest, Hasher } from '../../kernel/crypto-ports.ts'
import type { ReplicaId, View } from '../../kernel/ids.ts'
import type { DecisionProof } from '../../kernel/proof.ts'

export interface ProvenDecision {
  digest: Digest
  view: View
  signers: ReplicaId[]
}

/** Of a proof that holds. Null: raft's say nothing that somebody has signed. */
export function provenBy(hasher: Hasher, proof: DecisionProof): ProvenDecision | null {
  switch (proof.kind) {
    case 'raft':
      return null
    case 'pbft':
      return { digest: proof.blockDigest, view: proof.view, signers: proof.commits.map(({ replica }) => replica) }
    case 'hotstuff': {
      // Whoever has voted for the first of the run that commits it.
      const { block, view } = proof.headers[0]!
      const { votes } = proof.certificates[0]!
      return { digest: blockDigest(hasher, block), view, signers: votes.map(({ replica }) => replica) }
    }
  }
}
