// A way to lie. A behaviour says what leaves in the place of what a correct replica would send; everything else the replica does as
// a correct one would, so that it stays in the game long enough to do harm.

import type { Hasher, Signer } from '../../kernel/crypto-ports.ts'
import type { Block } from '../../kernel/block.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Epoch, Membership } from '../../kernel/membership.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type { Random } from '../../kernel/random.ts'
import type { FrameItem } from '../../replica/driver/frame.ts'
import type { Pongs } from '../network.ts'

/** What an adversary knows and has. It has no key but its own. */
export interface AdversaryOptions {
  readonly self: ReplicaId
  readonly epoch: Epoch
  readonly membership: Membership
  /** Everybody but itself. */
  readonly others: readonly ReplicaId[]
  readonly signer: Signer
  readonly hasher: Hasher
  readonly random: Random
}

/** Sends this to one other, at once or after a while. */
export type Post<Message> = (to: ReplicaId, message: Message, afterMs?: number) => void

/** One replica's lies. What is absent it does as a correct replica would. */
export interface Attack<Message> {
  /** In the place of this message to that replica, whatever is posted. */
  send?(message: Message, to: ReplicaId, post: Post<Message>): void
  /** Before the correct protocol sees a message. False: it never does. */
  receive?(message: Message, from: ReplicaId, post: Post<Message>): boolean
  /** Every `tickMs`, whatever else happens. */
  tick?(post: Post<Message>): void
  readonly tickMs?: number
  /** In the place of a message of the host's, such as a checkpoint signature. */
  hostItem?(item: FrameItem, to: ReplicaId): readonly FrameItem[]
  /** In the place of the bytes on the link. */
  frame?(bytes: Uint8Array, to: ReplicaId): readonly Uint8Array[]
  /** In the place of an answer to a client. Null: none. */
  reply?(bytes: Uint8Array): Uint8Array | null
  /** What others are given who ask for a payload. */
  payload?(payload: Uint8Array | null): Uint8Array | null
  /** What others are given who ask for decided blocks. */
  decided?(blocks: { block: Block; proof: DecisionProof }[]): { block: Block; proof: DecisionProof }[]
  /** Ends and starts the process at will: mean time between two ends. */
  readonly restartsMs?: number
  /** How it answers the pings of others' links. */
  readonly pongs?: Pongs
  /** Starts without what it had promised. */
  readonly forgets?: boolean
}

export interface Behaviour<Message> {
  /** What `--behaviour` takes. */
  readonly name: string
  /** What it does, in a few words. */
  readonly title: string
  /** Where one does, the other liars of the run do as well, and are its neighbours: their turns to lead follow each other. */
  readonly isInARow?: boolean
  create(options: AdversaryOptions): Attack<Message>
}
