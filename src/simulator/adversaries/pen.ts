// Signs whatever a pbft adversary wants to say, with the key that it has.

import { encode, type Codec } from '../../wire/codec.ts'
import { blockDigest, payloadDigest, type BlockHeader } from '../../kernel/block.ts'
import { signingBytes, type SigningDomain } from '../../kernel/domains.ts'
import type { Digest, Signature } from '../../kernel/crypto-ports.ts'
import type { Height, View } from '../../kernel/ids.ts'
import {
  newViewBodyCodec,
  statementCodec,
  viewChangeBodyCodec,
  wishBodyCodec,
  type Commit,
  type NewView,
  type PbftMessage,
  type Prepare,
  type PrePrepare,
  type ViewChange,
  type Wish,
} from '../../protocols/pbft/messages.ts'
import type { AdversaryOptions } from './behaviour.ts'
import type { Draft, DraftPen } from './drafts.ts'
import { inventedDigest } from './victims.ts'

export class Pen implements DraftPen<PbftMessage> {
  readonly #options: AdversaryOptions

  constructor(options: AdversaryOptions) {
    this.#options = options
  }

  digestOf(header: BlockHeader): Digest {
    return blockDigest(this.#options.hasher, header)
  }

  payloadDigest(payload: Uint8Array): Digest {
    return payloadDigest(this.#options.hasher, payload)
  }

  inventedDigest(): Digest {
    return inventedDigest(this.#options)
  }

  draftOf(message: PbftMessage): Draft | null {
    return message.kind === 'pre-prepare' ? message : null
  }

  redrafted(proposal: PbftMessage, { header, payload }: Draft): PbftMessage {
    return proposal.kind === 'pre-prepare' ? this.prePrepare(proposal.view, header, payload) : proposal
  }

  prePrepare(view: View, header: BlockHeader, payload: Uint8Array): PrePrepare {
    const { height } = header
    const signature = this.#statement('pbft-pre-prepare', view, height, this.digestOf(header))
    return { kind: 'pre-prepare', view, header, payload, signature }
  }

  vote(kind: 'prepare' | 'commit', view: View, height: Height, digest: Digest): Prepare | Commit {
    return { kind, view, height, digest, signature: this.#statement(`pbft-${kind}`, view, height, digest) }
  }

  viewChange(body: Omit<ViewChange, 'kind' | 'signature'>): ViewChange {
    const { view, sender, checkpoint, prepared } = body
    const signature = this.#sign('pbft-view-change', viewChangeBodyCodec, { view, sender, checkpoint, prepared })
    return { kind: 'view-change', view, sender, checkpoint, prepared, signature }
  }

  newView(body: Omit<NewView, 'kind' | 'signature'>): NewView {
    const { view, cited, prePrepares } = body
    const signature = this.#sign('pbft-new-view', newViewBodyCodec, { view, cited, prePrepares })
    return { kind: 'new-view', view, cited, prePrepares, signature }
  }

  wish(view: View): Wish {
    return { kind: 'wish', view, signature: this.#sign('wish', wishBodyCodec, { view }) }
  }

  signStatement(domain: SigningDomain, view: View, header: BlockHeader): Signature {
    return this.#statement(domain, view, header.height, this.digestOf(header))
  }

  #statement(domain: SigningDomain, view: View, height: Height, digest: Digest): Signature {
    return this.#sign(domain, statementCodec, { view, height, digest })
  }

  #sign<Body>(domain: SigningDomain, codec: Codec<Body>, body: Body): Signature {
    const { epoch, signer } = this.#options
    const scope = { network: epoch.network, epoch: epoch.number, protocol: epoch.protocol }
    return signer.sign(signingBytes(domain, scope, encode(codec, body)))
  }
}
