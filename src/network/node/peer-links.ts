// The links of one replica to the other members. Of each pair the one with the smaller id dials, so that two never hold two links and
// wonder which one counts; a dialler never gives up, and waits longer each time.

import type { Connection, Stream } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Member } from '../../kernel/membership.ts'
import type { Random } from '../../kernel/random.ts'
import { Backoff } from '../link/backoff.ts'
import { Link, peerLinkLimits } from '../link/link.ts'
import type { Hello, LinkRefusal } from '../link/link-frame.ts'
import { attachStream, byteStream } from '../libp2p/attach-stream.ts'
import { addressesOf } from '../libp2p/addresses.ts'
import { Dialler } from '../libp2p/dialler.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

export interface PeerContact {
  replica: ReplicaId
  connected: boolean
  roundTripMs: number | null
  /** Since the last frame; null if there was none in this life. */
  silentMs: number | null
  framesDropped: number
  /** Why it does not let this replica in, as it says; null if it does, or has not said. */
  refuses: LinkRefusal | null
}

/** Which starts of the members were seen, for ever. */
export interface SeenStarts {
  newest(replica: ReplicaId): { incarnation: number; process: Uint8Array } | null
  /** True: it is kept already. Otherwise `done` answers when it is, or why it cannot be. */
  note(
    replica: ReplicaId,
    start: { incarnation: number; process: Uint8Array },
    done: (error: { message: string } | null) => void,
  ): boolean
}

export interface PeerLinksOptions {
  self: ReplicaId
  members: readonly Member[]
  protocol: string
  hello: Hello
  seen: SeenStarts
  random: Random
  nowMs: () => number
  /** A frame; and whether somebody is there or not any more, for those who watch. */
  frame: (from: ReplicaId, body: Uint8Array) => void
  changed: (replica: ReplicaId, connected: boolean, reason: string) => void
  /** It does not let this replica in, as it says. */
  refused: (replica: ReplicaId, refusal: LinkRefusal) => void
}

interface Peer {
  readonly member: Member
  readonly backoff: Backoff
  link: Link | null
  /** Has not said who it is yet: one at most, so that nobody piles them up. */
  greeting: Link | null
  refuses: LinkRefusal | null
  openedMs: number
  lastReceivedMs: number | null
  framesDropped: number
  retry: ReturnType<typeof setTimeout> | null
  /** As it was measured last. */
  roundTripMs: number | null
}

export class PeerLinks {
  readonly #options: PeerLinksOptions
  readonly #peers: ReadonlyMap<ReplicaId, Peer>
  #dialler: Dialler | null = null
  #stopped = false

  constructor(options: PeerLinksOptions) {
    this.#options = options
    const others = options.members.filter((member) => member.id !== options.self)
    this.#peers = new Map(others.map((member) => [member.id, newPeer(member, options.random)]))
  }

  start(node: Libp2p): void {
    this.#dialler = new Dialler(node, this.#options.protocol)
    for (const peer of this.#peers.values()) if (this.#dials(peer)) void this.#dial(peer)
  }

  stop(): void {
    this.#stopped = true
    this.#dialler?.stop()
    for (const peer of this.#peers.values()) {
      if (peer.retry !== null) clearTimeout(peer.retry)
      peer.greeting?.close('stopped')
      peer.link?.close('stopped')
    }
  }

  send(to: ReplicaId, frame: Uint8Array): void {
    this.#peers.get(to)?.link?.send(frame)
  }

  /** As it was measured last, on whichever link: a peer that comes back is where it was. Null: never yet. */
  roundTripMs(replica: ReplicaId): number | null {
    const peer = this.#peers.get(replica)
    if (peer === undefined) return null
    peer.roundTripMs = peer.link?.roundTripMs ?? peer.roundTripMs
    return peer.roundTripMs
  }

  endTurn(): void {
    for (const peer of this.#peers.values()) peer.link?.endTurn()
  }

  tick(): void {
    const nowMs = this.#options.nowMs()
    for (const peer of this.#peers.values()) {
      peer.greeting?.tick(nowMs)
      peer.link?.tick(nowMs)
    }
  }

  contacts(): PeerContact[] {
    const nowMs = this.#options.nowMs()
    return Array.from(this.#peers.values(), (peer) => {
      const lastMs = peer.link?.lastReceivedMs ?? peer.lastReceivedMs
      return {
        replica: peer.member.id,
        connected: peer.link?.isOpen ?? false,
        roundTripMs: peer.link?.roundTripMs ?? null,
        silentMs: lastMs === null ? null : Math.max(0, nowMs - lastMs),
        framesDropped: peer.framesDropped + (peer.link?.framesDropped ?? 0),
        refuses: peer.refuses,
      }
    })
  }

  /** A stream that a member opened. */
  accept(replica: ReplicaId, stream: Stream, connection: Connection): void {
    const peer = this.#peers.get(replica)
    if (peer === undefined || this.#stopped) return connection.abort(new Error('not a peer'))
    // Two links between two would take turns at replacing each other.
    if (this.#dials(peer)) return connection.abort(new Error('dialled from here'))
    this.#attach(peer, stream, connection)
  }

  #dials(peer: Peer): boolean {
    return this.#options.self < peer.member.id
  }

  async #dial(peer: Peer): Promise<void> {
    if (this.#stopped || this.#dialler === null || peer.link !== null || peer.greeting !== null) return
    try {
      const { stream, connection } = await this.#dialler.open(addressesOf(peer.member, 'tcp'))
      this.#attach(peer, stream, connection)
    } catch (error) {
      this.#dialAgain(peer, reasonOf(error))
    }
  }

  #dialAgain(peer: Peer, reason: string): void {
    if (this.#stopped || !this.#dials(peer)) return
    this.#options.changed(peer.member.id, false, reason)
    if (peer.retry !== null) clearTimeout(peer.retry)
    peer.retry = setTimeout(() => {
      peer.retry = null
      void this.#dial(peer)
    }, peer.backoff.next())
  }

  #attach(peer: Peer, stream: Stream, connection: Connection): void {
    const { nowMs, hello, frame, refused } = this.#options
    const link: Link = new Link(
      byteStream(stream),
      {
        opened: (other) => this.#opened(peer, link, other),
        data: (body) => {
          if (peer.link !== link) return
          peer.refuses = null
          frame(peer.member.id, body)
        },
        refused: (refusal) => {
          peer.refuses = refusal
          refused(peer.member.id, refusal)
        },
        closed: (reason) => {
          connection.abort(new Error(reason))
          this.#closed(peer, link, reason)
        },
      },
      peerLinkLimits,
      hello,
      nowMs(),
    )
    peer.greeting?.close('replaced')
    peer.greeting = link
    attachStream(stream, link, nowMs)
  }

  /** The newest process of a member counts. One that repeats an incarnation runs on a restored backup, or beside its twin. */
  #opened(peer: Peer, link: Link, hello: Hello): true | 'later' | LinkRefusal {
    const { seen } = this.#options
    const newest = seen.newest(peer.member.id)
    if (newest !== null && hello.incarnation < newest.incarnation)
      return this.#refuse(peer, 'incarnation-older', newest)
    const twin =
      newest !== null && hello.incarnation === newest.incarnation && !equalBytes(hello.process, newest.process)
    if (twin) return this.#refuse(peer, 'incarnation-repeated', newest)
    // Kept before it is let in: whoever forgets it again would let its older copy in.
    const isKept = seen.note(peer.member.id, hello, (error) => this.#decided(peer, link, error))
    if (!isKept) return 'later'
    this.#welcome(peer, link)
    return true
  }

  #decided(peer: Peer, link: Link, error: { message: string } | null): void {
    // Another one has come meanwhile, or this one has gone.
    if (peer.greeting !== link || this.#stopped) return
    if (error !== null) {
      const reason = `its incarnation cannot be kept: ${error.message}`
      this.#options.changed(peer.member.id, peer.link !== null, reason)
      return link.close(reason)
    }
    this.#welcome(peer, link)
    link.accept(this.#options.nowMs())
  }

  #welcome(peer: Peer, link: Link): void {
    const before = peer.link
    peer.link = link
    peer.greeting = null
    before?.close('replaced')
    peer.openedMs = this.#options.nowMs()
    this.#options.changed(peer.member.id, true, 'connected')
  }

  #closed(peer: Peer, link: Link, reason: string): void {
    peer.framesDropped += link.framesDropped
    if (peer.greeting === link) peer.greeting = null
    if (peer.link === link) {
      peer.lastReceivedMs = link.lastReceivedMs
      peer.link = null
      peer.backoff.lasted(this.#options.nowMs() - peer.openedMs)
      if (!this.#dials(peer)) this.#options.changed(peer.member.id, false, reason)
    }
    if (peer.link === null && peer.greeting === null) this.#dialAgain(peer, reason)
  }

  /** The link that it had stays. */
  #refuse(peer: Peer, reason: LinkRefusal['reason'], { incarnation }: { incarnation: number }): LinkRefusal {
    this.#options.changed(peer.member.id, peer.link !== null, reason)
    return { reason, incarnation }
  }
}

function newPeer(member: Member, random: Random): Peer {
  const backoff = new Backoff(random.fork(`backoff ${member.id}`))
  return {
    member,
    backoff,
    link: null,
    greeting: null,
    refuses: null,
    openedMs: 0,
    lastReceivedMs: null,
    framesDropped: 0,
    retry: null,
    roundTripMs: null,
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
