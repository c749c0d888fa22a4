// Signs whatever a hotstuff adversary wants to say, with the key that it has. Nodes are made here alone.

import { payloadDigest, type BlockHeader } from '../../../kernel/block.ts'
import type { Digest } from '../../../kernel/crypto-ports.ts'
import type { View } from '../../../kernel/ids.ts'
import type { ChainedHeader, QuorumCertificate } from '../../../kernel/proof.ts'
import { genesisCertificate } from '../../../protocols/hotstuff/genesis.ts'
import type {
  HotstuffMessage,
  Proposal,
  SignedTimeout,
  Statement,
  Timeout,
  Vote,
} from '../../../protocols/hotstuff/messages.ts'
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

export class ChainPen implements DraftPen<HotstuffMessage> {
  readonly #options: AdversaryOptions
  readonly #signing: Signing
  /** Below every chain. */
  readonly genesis: QuorumCertificate
  readonly genesisHeight: number

  constructor(options: AdversaryOptions) {
    const { epoch, signer, hasher } = options
    this.#options = options
    this.#signing = { scope: scopeOf(epoch), ports: { signer } }
    this.genesis = genesisCertificate(epoch, hasher)
    this.genesisHeight = epoch.firstHeight - 1
  }

  /** As its proof has it. */
  chained({ header, view, justify }: Pick<Proposal, 'header' | 'view' | 'justify'>): ChainedHeader {
    return { block: header, view, parent: justify.node }
  }

  digestOf(proposal: Pick<Proposal, 'header' | 'view' | 'justify'>): Digest {
    return nodeDigest(this.#options.hasher, this.chained(proposal))
  }

  payloadDigest(payload: Uint8Array): Digest {
    return payloadDigest(this.#options.hasher, payload)
  }

  proposal(body: Omit<Proposal, 'kind' | 'signature'>): Proposal {
    const { view, header, payload, justify, timeouts } = body
    const signature = signProposal(this.#signing, { view, node: this.digestOf(body) })
    return { kind: 'proposal', view, header, payload, justify, timeouts, signature }
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
  grafted(proposal: Proposal, onto: { readonly certificate: QuorumCertificate; readonly height: number }): Proposal {
    const header: BlockHeader = { ...proposal.header, height: onto.height + 1 }
    return this.proposal({ ...proposal, header, justify: onto.certificate })
  }
}
