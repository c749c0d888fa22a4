// What a liar of hotstuff has heard and said in the last views: nodes, votes, timeouts, and the certificates that they make. Its own protocol may
// never see what is remembered here.

import { toHex } from '../../../kernel/hex.ts'
import type { ReplicaId, View } from '../../../kernel/ids.ts'
import type { QuorumCertificate } from '../../../kernel/proof.ts'
import { equalBytes } from '../../../wire/equal-bytes.ts'
import type {
  HotstuffMessage,
  Proposal,
  SignedTimeout,
  TimeoutCertificate,
  Vote,
} from '../../../protocols/hotstuff/messages.ts'
import type { AdversaryOptions, Attack, Post } from '../behaviour.ts'
import { ChainPen, type Place } from './chain-pen.ts'

const nodesMax = 1024
const viewsMax = 64

export class ChainMemory {
  readonly pen: ChainPen
  readonly #options: AdversaryOptions
  readonly #nodes = new Map<string, Proposal>()
  readonly #ofOthers = new Set<string>()
  readonly #certificates = new Map<string, QuorumCertificate>()
  readonly #votes = new Map<View, Map<ReplicaId, Vote>>()
  readonly #timeouts = new Map<View, Map<ReplicaId, SignedTimeout>>()
  /** The highest view that anybody spoke of, within reason: others lie too. */
  view: View = 1
  /** Of the highest view. */
  highest: QuorumCertificate

  constructor(options: AdversaryOptions) {
    this.#options = options
    this.pen = new ChainPen(options)
    this.highest = this.pen.genesis.certificate
  }

  hear(message: HotstuffMessage, from: ReplicaId): void {
    switch (message.kind) {
      case 'proposal':
        this.#see(message.view)
        this.#rememberCertificate(message.justify)
        if (message.timeouts !== null) this.#rememberTimeouts(message.timeouts)
        return this.#rememberNode(message, from)
      case 'vote':
        return this.#rememberVote(message, from)
      case 'timeout':
        this.#see(message.view)
        this.#rememberCertificate(message.certificate)
        return this.#rememberTimeouts({ view: message.view, timeouts: [{ ...message, replica: from }] })
      case 'newest':
        this.#rememberCertificate(message.certificate)
        if (message.timeouts !== null) this.#rememberTimeouts(message.timeouts)
        return
      case 'status':
        return this.#see(message.view)
    }
  }

  /** Said by itself, and not handed on. */
  isOwn(message: HotstuffMessage): message is Proposal {
    return message.kind === 'proposal' && !this.#ofOthers.has(toHex(this.pen.digestOf(message)))
  }

  nodes(): Proposal[] {
    return [...this.#nodes.values()]
  }

  certificateOf(proposal: Proposal): QuorumCertificate | null {
    return this.#certificates.get(toHex(this.pen.digestOf(proposal))) ?? null
  }

  childrenOf(proposal: Proposal): Proposal[] {
    const node = this.pen.digestOf(proposal)
    return this.nodes().filter(({ justify }) => equalBytes(justify.node, node))
  }

  /** The newest first; genesis is always there. */
  placesBelow(view: View): Place[] {
    const places: Place[] = []
    for (const [key, certificate] of this.#certificates) {
      const node = this.#nodes.get(key)
      if (certificate.view < view && node !== undefined) places.push({ certificate, node: this.pen.chained(node) })
    }
    places.sort((left, right) => right.certificate.view - left.certificate.view)
    return [...places, this.pen.genesis]
  }

  /** That this view was given up, said by those of the lowest certificates, and by itself with this one. Null: too few have. */
  timeoutsOf(view: View, ownCertificateView: View): TimeoutCertificate | null {
    const { self, membership } = this.#options
    const others = [...(this.#timeouts.get(view)?.values() ?? [])].filter(({ replica }) => replica !== self)
    if (others.length < membership.quorum - 1) return null
    others.sort((left, right) => left.certificateView - right.certificateView)
    const own = this.pen.signedTimeout(view, ownCertificateView)
    const timeouts = [own, ...others.slice(0, membership.quorum - 1)]
    return { view, timeouts: timeouts.sort((left, right) => left.replica - right.replica) }
  }

  #see(view: View): void {
    if (view < 1e6) this.view = Math.max(this.view, view)
  }

  #rememberNode(proposal: Proposal, from: ReplicaId): void {
    const key = toHex(this.pen.digestOf(proposal))
    this.#nodes.set(key, proposal)
    if (from !== this.#options.self) this.#ofOthers.add(key)
    for (const oldest of this.#nodes.keys()) {
      if (this.#nodes.size <= nodesMax) break
      this.#nodes.delete(oldest)
      this.#ofOthers.delete(oldest)
    }
  }

  #rememberCertificate(certificate: QuorumCertificate): void {
    if (certificate.view < 1 || certificate.view > 1e6) return
    keep(this.#certificates, toHex(certificate.node), certificate, nodesMax)
    if (certificate.view > this.highest.view) this.highest = certificate
  }

  /** With its own, which its protocol gives itself: a quorum is a certificate. */
  #rememberVote(vote: Vote, from: ReplicaId): void {
    const { self, membership } = this.#options
    const { view, node } = vote
    const votes = this.#votes.get(view) ?? new Map<ReplicaId, Vote>()
    keep(this.#votes, view, votes.set(from, vote).set(self, this.pen.vote(vote)), viewsMax)
    const matching = [...votes].filter(([, one]) => equalBytes(one.node, node))
    if (matching.length < membership.quorum) return
    const signatures = matching.map(([replica, { signature }]) => ({ replica, signature }))
    signatures.sort((left, right) => left.replica - right.replica)
    this.#rememberCertificate({ view, node, votes: signatures })
  }

  #rememberTimeouts({ view, timeouts }: TimeoutCertificate): void {
    const known = this.#timeouts.get(view) ?? new Map<ReplicaId, SignedTimeout>()
    for (const { replica, certificateView, signature } of timeouts) {
      known.set(replica, { replica, certificateView, signature })
    }
    keep(this.#timeouts, view, known, viewsMax)
  }
}

function keep<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): void {
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= most) return
    map.delete(oldest)
  }
}

/** An attack that remembers all that it hears, and all that its protocol says. */
export function remembering(
  options: AdversaryOptions,
  create: (memory: ChainMemory) => Attack<HotstuffMessage>,
): Attack<HotstuffMessage> {
  const memory = new ChainMemory(options)
  const attack = create(memory)
  const { send, receive } = attack
  return {
    ...attack,
    send: (message, to, post) => {
      memory.hear(message, options.self)
      if (send === undefined) post(to, message)
      else send(message, to, post)
    },
    receive: (message: HotstuffMessage, from: ReplicaId, post: Post<HotstuffMessage>) => {
      memory.hear(message, from)
      return receive === undefined || receive(message, from, post)
    },
  }
}

/** Decided once for each view, and the same for all who hear of it. */
export function onceForEachView<Answer>(decide: (view: View) => Answer): (view: View) => Answer {
  const known = new Map<View, Answer>()
  return (view) => {
    if (!known.has(view)) keep(known, view, decide(view), nodesMax)
    return known.get(view)!
  }
}
