// Signs whatever a hotstuff adversary wants to say, with the key that it has. Nodes are made here alone.

import { payloadDigest, type BlockHeader } from '../../../kernel/block.ts'
import type { Digest } from '../../../kernel/crypto-ports.ts'
import type { View } from '../../../kernel/ids.ts'
import type { ChainedHeader, QuorumCertificate } from '../../../kernel/proof.ts'
import { genesisCertificate, genesisHeader } from '../../../protocols/hotstuff/genesis.ts'
import type { Agreed } from '../../../protocols/hotstuff/leaders.ts'
import type {
  HotstuffMessage,
  Proposal,
  SignedTimeout,
  Statement,
  Timeout,
  Vote,
} from '../../../protocols/hotstuff/messages.ts'
import { headerOf, isLeaderByChain } from '../../../protocols/hotstuff/node-header.ts'
import {
  nodeDigest,
  scopeOf,
  signProposal,
  signTimeout,
  signVote,
  type Signing,
} from '../../../protocols/hotstuff/statements.ts'
import type { AdversaryOptions } from '../behaviour.ts'
import type { Draft, DraftPen } from '../drafts.ts'

/** A certificate whose node is known, so that one can stand on it. */
export interface Place {
  readonly certificate: QuorumCertificate
  readonly node: ChainedHeader
}

type Said = Omit<Proposal, 'kind' | 'signature'>

export class ChainPen implements DraftPen<HotstuffMessage> {
  readonly #options: AdversaryOptions
  readonly #signing: Signing
  readonly #agreed: Agreed
  /** Below every chain. */
  readonly genesis: Place

  constructor(options: AdversaryOptions) {
    const { epoch, membership, signer, hasher } = options
    this.#options = options
    this.#signing = { scope: scopeOf(epoch), ports: { signer } }
    this.#agreed = { membership, parameters: epoch.parameters }
    this.genesis = { certificate: genesisCertificate(epoch, hasher), node: genesisHeader(epoch) }
  }

  /** As its proof has it. */
  chained(proposal: Said): ChainedHeader {
    return headerOf(this.#agreed, proposal)
  }

  digestOf(proposal: Said): Digest {
    return nodeDigest(this.#options.hasher, this.chained(proposal))
  }

  payloadDigest(payload: Uint8Array): Digest {
    return payloadDigest(this.#options.hasher, payload)
  }

  proposal(body: Said): Proposal {
    const { view, header, payload, justify, timeouts, extended } = body
    const signature = signProposal(this.#signing, { view, node: this.digestOf(body) })
    return { kind: 'proposal', view, header, payload, justify, timeouts, extended, signature }
  }

  vote({ view, node }: Statement): Vote {
    return { kind: 'vote', view, node, signature: signVote(this.#signing, { view, node }) }
  }

  timeout(view: View, certificateView: View, certificate: QuorumCertificate): Timeout {
    const { signature } = this.signedTimeout(view, certificateView)
    return { kind: 'timeout', view, certificateView, certificate, signature }
  }

  /** As it stands in a certificate. */
  signedTimeout(view: View, certificateView: View): SignedTimeout {
    const signature = signTimeout(this.#signing, { view, certificateView })
    return { replica: this.#options.self, certificateView, signature }
  }

  draftOf(message: HotstuffMessage): Draft | null {
    return message.kind === 'proposal' ? message : null
  }

  redrafted(message: HotstuffMessage, { header, payload }: Draft): HotstuffMessage {
    return message.kind === 'proposal' ? this.proposal({ ...message, header, payload }) : message
  }

  /** The same block on another node: its height follows. */
  grafted(proposal: Proposal, { certificate, node }: Place): Proposal {
    const header: BlockHeader = { ...proposal.header, height: node.block.height + 1 }
    const extended = isLeaderByChain(this.#agreed, proposal.view, certificate) ? node : null
    return this.proposal({ ...proposal, header, justify: certificate, extended })
  }
}
