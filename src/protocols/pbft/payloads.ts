// Where a slot's payload is: in memory, on disk, empty, or with those who prepared it.

import { equalBytes } from '../../wire/equal-bytes.ts'
import { emptyPayload, payloadDigest } from '../../kernel/block.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import { toHex } from '../../kernel/hex.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { PbftRecord } from './records.ts'
import type { Slot, StoredPayload } from './slot.ts'
import type { PbftState, Step } from './state.ts'

/** Fetches of payloads under way at once; the others wait for the next status timer. */
export const payloadFetchesMax = 16

export function isEmptyDigest(state: PbftState, digest: Digest): boolean {
  return equalBytes(digest, payloadDigest(state.ports.hasher, emptyPayload))
}

/** Null: this replica does not have it. */
export function payloadOf(state: PbftState, slot: Slot, digest: Digest): Uint8Array | null {
  const { proposal } = slot
  if (proposal?.payload != null && equalBytes(proposal.header.payloadDigest, digest)) return proposal.payload
  const stored = slot.stored(digest)
  if (stored !== null) return readBack(state, stored)
  if (slot.carried !== null && equalBytes(payloadDigest(state.ports.hasher, slot.carried), digest)) return slot.carried
  return isEmptyDigest(state, digest) ? emptyPayload : null
}

/** Null while the record is not on disk: then it is in memory too, but for what has just been decided, which others have. */
function readBack(state: PbftState, { payload, persisted }: StoredPayload): Uint8Array | null {
  if (payload !== null) return payload
  if (persisted > state.durable) return null
  const record = state.ports.recall(persisted) as PbftRecord
  return record.kind === 'proposal' || record.kind === 'decided' ? record.payload : null
}

/** For others: of any slot above the watermark. */
export function heldPayload(state: PbftState, digest: Digest): Uint8Array | null {
  for (const slot of state.slots.values()) {
    const payload = payloadOf(state, slot, digest)
    if (payload !== null && payload.length > emptyPayload.length) return payload
  }
  return null
}

/** Other slots go on meanwhile. */
export function wantPayload({ state, effects }: Step, slot: Slot, digest: Digest, holders: readonly ReplicaId[]): void {
  const name = toHex(digest)
  if (state.payloadsWanted.has(name) || state.payloadsWanted.size >= payloadFetchesMax) return
  const others = holders.filter((holder) => holder !== state.self)
  if (others.length === 0) return
  state.payloadsWanted.add(name)
  effects.fetch({ kind: 'payload', digest, height: slot.height }, others)
}

/** What is lacking is asked for again: whoever was asked may have had nothing. */
export function wantLackingPayloads(step: Step): void {
  const { state } = step
  for (const slot of state.slots.values()) {
    const { proposal, decision } = slot
    if (
      decision !== null &&
      slot.height > state.decidedHeight &&
      payloadOf(state, slot, decision.header.payloadDigest) === null
    ) {
      wantPayload(
        step,
        slot,
        decision.header.payloadDigest,
        decision.commits.map(({ replica }) => replica),
      )
    } else if (proposal !== null && proposal.payload === null && !proposal.accepted) {
      wantPayload(step, slot, proposal.header.payloadDigest, state.membership.voters)
    }
  }
}
