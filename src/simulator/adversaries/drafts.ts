// Proposals of any protocol, as far as they are alike: a block's header and its payload, signed by whoever proposes.

import { emptyPayload, type BlockHeader } from '../../kernel/block.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import type { AdversaryOptions } from './behaviour.ts'

export interface Draft {
  readonly header: BlockHeader
  readonly payload: Uint8Array
}

/** Signs in the place of proposals. */
export interface DraftPen<Message> {
  /** Null: it is no proposal. */
  draftOf(message: Message): Draft | null
  /** The proposal with this in the place of its own, well signed. */
  redrafted(proposal: Message, draft: Draft): Message
  payloadDigest(payload: Uint8Array): Digest
}

export type CreatePen<Message> = (options: AdversaryOptions) => DraftPen<Message>

/** Another block for the same place: an empty one, or of another time. */
export function otherDraft(
  pen: Pick<DraftPen<never>, 'payloadDigest'>,
  { header, payload }: Draft,
  changesPayload: boolean,
): Draft {
  if (changesPayload && payload.length > emptyPayload.length) {
    return { header: { ...header, payloadDigest: pen.payloadDigest(emptyPayload) }, payload: emptyPayload }
  }
  return { header: { ...header, timestamp: header.timestamp + 1 }, payload }
}
