/**
 * Votes of all senders, few of each. A vote comes from its signer over an authenticated link and counts towards a quorum only, so it is
 * verified when it completes one (architecture.md §4); who sent a wrong one has its later ones verified as they come. A vote at a
 * height where its sender has another is verified at once: either it is wrong, or both are proof of a lie.
 */

import type { SignedStatement } from '../../kernel/evidence.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import type { SignatureSet } from '../../kernel/proof.ts'
import type { CertificateRules } from '../../kernel/checkpoint-rules.ts'
import { invalidMax, voteHeightsMax } from './limits.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

interface Vote extends SignedStatement {
  height: Height
  verified: boolean
}

interface Sender {
  /** Ascending by height. */
  votes: Vote[]
  /** Wrong signatures since the last checkpoint. */
  invalid: number
  /** Has sent a wrong signature once. */
  suspect: boolean
  accused: boolean
}

export type Recorded =
  | { kind: 'new' }
  | { kind: 'known' }
  | { kind: 'dropped'; reason: 'muted' | 'too low' | 'wrong signature' | 'second vote' }
  /** Both verified, and told once for each sender. */
  | { kind: 'equivocation'; first: SignedStatement; second: SignedStatement }

export interface Counted {
  /** The encoded header that a quorum signed. */
  body: Uint8Array
  signatures: SignatureSet
}

export class VoteBook {
  readonly #rules: CertificateRules
  readonly #senders = new Map<ReplicaId, Sender>()

  constructor(rules: CertificateRules) {
    this.#rules = rules
  }

  /** The replica's own vote needs no check. */
  own(self: ReplicaId, height: Height, statement: SignedStatement): void {
    this.#keep(this.#sender(self), { ...statement, height, verified: true })
  }

  /** The sender is a voter: the caller has looked. */
  record(from: ReplicaId, height: Height, { body, signature }: SignedStatement): Recorded {
    const sender = this.#sender(from)
    if (sender.invalid >= invalidMax) return { kind: 'dropped', reason: 'muted' }
    const vote: Vote = { height, body, signature, verified: false }
    const known = sender.votes.find((other) => other.height === height)
    if (known !== undefined) return this.#again(from, sender, known, vote)
    if (sender.suspect && !this.#verify(from, sender, vote)) return { kind: 'dropped', reason: 'wrong signature' }
    return this.#keep(sender, vote) ? { kind: 'new' } : { kind: 'dropped', reason: 'too low' }
  }

  /** What a quorum has signed at this height, or null. Verifies what it counts; votes that turn out to be wrong are gone. */
  count(height: Height): Counted | null {
    for (const group of this.#groups(height)) {
      const signatures: SignatureSet = []
      for (const { replica, sender, vote } of group) {
        if (group.length < this.#rules.membership.quorum) break
        if (vote.verified || this.#verify(replica, sender, vote)) {
          signatures.push({ replica, signature: vote.signature })
        } else sender.votes.splice(sender.votes.indexOf(vote), 1)
        if (signatures.length < this.#rules.membership.quorum) continue
        signatures.sort((left, right) => left.replica - right.replica)
        return { body: vote.body, signatures }
      }
    }
    return null
  }

  /** Who says that this is the header of this height; not all are verified. */
  signers(height: Height, body: Uint8Array): ReplicaId[] {
    const group = this.#groups(height).find(([first]) => equalBytes(first!.vote.body, body)) ?? []
    return group.map(({ replica }) => replica)
  }

  /** A checkpoint is certified: who was not listened to is listened to again. Votes that are old now make room for later ones. */
  forgive(): void {
    for (const sender of this.#senders.values()) sender.invalid = 0
  }

  /** A certificate of this sender was wrong; true: it is not listened to any more. */
  invalid(from: ReplicaId): void {
    this.#sender(from).invalid++
  }

  muted(from: ReplicaId): boolean {
    return (this.#senders.get(from)?.invalid ?? 0) >= invalidMax
  }

  #again(from: ReplicaId, sender: Sender, known: Vote, vote: Vote): Recorded {
    const same = equalBytes(known.body, vote.body)
    if (same && (known.verified || equalBytes(known.signature, vote.signature))) return { kind: 'known' }
    if (!same && sender.accused) return { kind: 'dropped', reason: 'second vote' }
    if (!this.#verify(from, sender, vote)) return { kind: 'dropped', reason: 'wrong signature' }
    if (same || !(known.verified || this.#verify(from, sender, known))) {
      sender.votes[sender.votes.indexOf(known)] = vote
      return { kind: 'new' }
    }
    sender.accused = true
    return { kind: 'equivocation', first: statement(known), second: statement(vote) }
  }

  #verify(from: ReplicaId, sender: Sender, vote: Vote): boolean {
    vote.verified = this.#rules.verify(from, vote.body, vote.signature)
    if (vote.verified) return true
    sender.suspect = true
    sender.invalid++
    return false
  }

  #keep(sender: Sender, vote: Vote): boolean {
    sender.votes.push(vote)
    sender.votes.sort((left, right) => left.height - right.height)
    if (sender.votes.length <= voteHeightsMax) return true
    return sender.votes.shift() !== vote
  }

  #groups(height: Height): { replica: ReplicaId; sender: Sender; vote: Vote }[][] {
    const groups: { replica: ReplicaId; sender: Sender; vote: Vote }[][] = []
    for (const [replica, sender] of this.#senders) {
      const vote = sender.votes.find((other) => other.height === height)
      if (vote === undefined) continue
      const group = groups.find(([first]) => equalBytes(first!.vote.body, vote.body))
      if (group === undefined) groups.push([{ replica, sender, vote }])
      else group.push({ replica, sender, vote })
    }
    return groups
  }

  #sender(replica: ReplicaId): Sender {
    let sender = this.#senders.get(replica)
    if (sender === undefined) {
      sender = { votes: [], invalid: 0, suspect: false, accused: false }
      this.#senders.set(replica, sender)
    }
    return sender
  }
}

function statement({ body, signature }: Vote): SignedStatement {
  return { body, signature }
}
