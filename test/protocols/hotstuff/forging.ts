// What a liar can put together: signed by whoever is named, whether that one would sign it or not.

import { payloadDigest } from '../../../src/kernel/block.ts'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { ChainedHeader, QuorumCertificate } from '../../../src/kernel/proof.ts'
import { genesisCertificate, genesisHeader } from '../../../src/protocols/hotstuff/genesis.ts'
import type { Agreed } from '../../../src/protocols/hotstuff/leaders.ts'
import type { Proposal, TimeoutCertificate } from '../../../src/protocols/hotstuff/messages.ts'
import { headerOf, isLeaderByChain, leaderOf } from '../../../src/protocols/hotstuff/node-header.ts'
import {
  nodeDigest,
  scopeOf,
  signProposal,
  signTimeout,
  signVote,
  type Signing,
} from '../../../src/protocols/hotstuff/statements.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { payloadOf } from '../raft/test-pool.ts'
import type { Bench } from './bench.ts'

export function by(world: Bench, id: number): Signing {
  return { scope: scopeOf(world.epoch), ports: { signer: world.signerOf(replicaId(id)) } }
}

export function agreedOf({ membership, epoch }: Bench): Agreed {
  return { membership, parameters: epoch.parameters }
}

/** By its rightful leader. `below`: whose certificate it carries; null: the genesis node. */
export function proposalOf(
  world: Bench,
  view: number,
  height: number,
  text: string,
  justify: QuorumCertificate = genesisCertificate(world.epoch, simulatedHasher),
  timeouts: TimeoutCertificate | null = null,
  below: ChainedHeader = genesisHeader(world.epoch),
): Proposal {
  const payload = payloadOf(text)
  const timestamp = world.now.wallMs
  const header = { epoch: 1, height, timestamp, payloadDigest: payloadDigest(simulatedHasher, payload) }
  const agreed = agreedOf(world)
  const extended = isLeaderByChain(agreed, view, justify) ? below : null
  const said = { kind: 'proposal' as const, view, header, payload, justify, timeouts, extended }
  const node = nodeDigest(simulatedHasher, headerOf(agreed, said))
  return { ...said, signature: signProposal(by(world, leaderOf(agreed, said)), { view, node }) }
}

export function certificateOf(
  world: Bench,
  proposal: Proposal,
  signers: readonly number[] = [2, 3, 4],
): QuorumCertificate {
  const { view } = proposal
  const node = nodeDigest(simulatedHasher, headerOf(agreedOf(world), proposal))
  const votes = signers.map((id) => ({ replica: replicaId(id), signature: signVote(by(world, id), { view, node }) }))
  return { view, node, votes }
}

export function timeoutsOf(world: Bench, view: number, certificateView: number): TimeoutCertificate {
  const timeouts = [2, 3, 4].map((id) => {
    const signature = signTimeout(by(world, id), { view, certificateView })
    return { replica: replicaId(id), certificateView, signature }
  })
  return { view, timeouts }
}
