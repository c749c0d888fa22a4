// What replicas that lie can make on the bench: whatever they like, signed with their own secrets, and certificates out of what a quorum signs.

import { payloadDigest } from '../../../src/kernel/block.ts'
import type { Digest } from '../../../src/kernel/crypto-ports.ts'
import { replicaId, type Height, type View } from '../../../src/kernel/ids.ts'
import type { ChainedHeader, HotstuffDecisionProof, QuorumCertificate } from '../../../src/kernel/proof.ts'
import { genesisCertificate, genesisHeader } from '../../../src/protocols/hotstuff/genesis.ts'
import type { Agreed } from '../../../src/protocols/hotstuff/leaders.ts'
import type { Proposal, Timeout, TimeoutCertificate, Vote } from '../../../src/protocols/hotstuff/messages.ts'
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

export function genesisOf(world: Bench): QuorumCertificate {
  return genesisCertificate(world.epoch, simulatedHasher)
}

/** By its rightful leader. `below`: whose certificate it carries. */
export function proposalOf(
  world: Bench,
  view: View,
  height: Height,
  text: string,
  justify: QuorumCertificate = genesisOf(world),
  timeouts: TimeoutCertificate | null = null,
  timestamp: number = world.now.wallMs,
  below: ChainedHeader = genesisHeader(world.epoch),
): Proposal {
  const payload = payloadOf(text)
  const header = {
    epoch: world.epoch.number,
    height,
    timestamp,
    payloadDigest: payloadDigest(simulatedHasher, payload),
  }
  const agreed = agreedOf(world)
  const extended = isLeaderByChain(agreed, view, justify) ? below : null
  const proposal = { kind: 'proposal' as const, view, header, payload, justify, timeouts, extended }
  return { ...proposal, signature: signatureOf(world, leaderOf(agreed, proposal), proposal) }
}

export function signatureOf(world: Bench, id: number, proposal: Omit<Proposal, 'signature'>): Uint8Array {
  return signProposal(by(world, id), { view: proposal.view, node: digestOf(world, proposal) })
}

export function digestOf(world: Bench, proposal: Omit<Proposal, 'signature'>): Digest {
  return nodeDigest(simulatedHasher, headerOf(agreedOf(world), proposal))
}

const voters = [2, 3, 4]

export function voteOf(world: Bench, id: number, proposal: Proposal): Vote {
  const statement = { view: proposal.view, node: digestOf(world, proposal) }
  return { kind: 'vote', ...statement, signature: signVote(by(world, id), statement) }
}

export function certificateOf(
  world: Bench,
  proposal: Proposal,
  signers: readonly number[] = voters,
): QuorumCertificate {
  const votes = signers.map((id) => ({ replica: replicaId(id), signature: voteOf(world, id, proposal).signature }))
  return { view: proposal.view, node: digestOf(world, proposal), votes }
}

export function timeoutOf(
  world: Bench,
  id: number,
  view: View,
  certificate: QuorumCertificate = genesisOf(world),
  certificateView: View = certificate.view,
): Timeout {
  const signature = signTimeout(by(world, id), { view, certificateView })
  return { kind: 'timeout', view, certificateView, certificate, signature }
}

export function timeoutsOf(world: Bench, view: View, certificateView: View): TimeoutCertificate {
  const timeouts = voters.map((id) => {
    const signature = signTimeout(by(world, id), { view, certificateView })
    return { replica: replicaId(id), certificateView, signature }
  })
  return { view, timeouts }
}

/** As many nodes, of these views, each with the certificate of the one before it and, across a gap, with the reason for it. */
export function chainOf(world: Bench, ...views: readonly View[]): Proposal[] {
  const chain: Proposal[] = []
  for (const [index, view] of views.entries()) {
    const parent = chain.at(-1)
    const justify = parent === undefined ? genesisOf(world) : certificateOf(world, parent)
    const timeouts = justify.view === view - 1 ? null : timeoutsOf(world, view - 1, justify.view)
    chain.push(proposalOf(world, view, index + 1, `${view}`, justify, timeouts))
  }
  return chain
}

/** That the first of them is decided: the rest is the run. */
export function proofOf(world: Bench, run: readonly Proposal[]): HotstuffDecisionProof {
  const headers = run.map((proposal) => headerOf(agreedOf(world), proposal))
  return { kind: 'hotstuff', headers, certificates: run.map((proposal) => certificateOf(world, proposal)) }
}

/** The same, and nobody has signed it. */
export function spoilt<Certificate extends { votes: { signature: Uint8Array }[] }>(
  certificate: Certificate,
): Certificate {
  return { ...certificate, votes: certificate.votes.map((vote) => ({ ...vote, signature: garbage })) }
}

export function spoiltTimeouts({ view, timeouts }: TimeoutCertificate): TimeoutCertificate {
  return { view, timeouts: timeouts.map((one) => ({ ...one, signature: garbage })) }
}

export const garbage: Uint8Array = new Uint8Array(64).fill(9)
