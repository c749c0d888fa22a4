// A member that fetches a state and keeps nothing of it: what a transfer costs the one who serves, with as little as possible beside it.

import { readIdentity } from '../src/replica/options.ts'
import type { Digest } from '../src/kernel/crypto-ports.ts'
import type { Height, ReplicaId } from '../src/kernel/ids.ts'
import type { ReadNetwork } from '../src/kernel/network-file.ts'
import { createRandom } from '../src/kernel/random.ts'
import { linkVersion, processNonceBytes } from '../src/network/link/link-frame.ts'
import { ReplicaNetwork } from '../src/network/node/replica-network.ts'
import type { SeenStarts } from '../src/network/node/peer-links.ts'
import { chunksAskedMax, waitingRequestsMax } from '../src/replica/checkpoints/limits.ts'
import {
  transferAnswerCodec,
  transferRequestCodec,
  type TransferAnswer,
  type TransferRequest,
} from '../src/replica/checkpoints/transfer-messages.ts'
import { channel, frameCodec } from '../src/replica/driver/frame.ts'
import { decode, encode } from '../src/wire/codec.ts'

/** `nothing`: one request a second, so that the server writes no newer snapshots here either. `small`: the smallest answers that there are. */
export const sinkModes = ['nothing', 'chunks', 'small'] as const
export type SinkMode = (typeof sinkModes)[number]

export interface StateSinkOptions {
  network: ReadNetwork
  self: ReplicaId
  /** With the keys of the member in whose place it stands. */
  folder: string
  server: ReplicaId
}

/** Whatever start it says it is, is new to it. */
const nobodySeen: SeenStarts = { newest: () => null, note: () => true }

export class StateSink {
  readonly #options: StateSinkOptions
  readonly #links: ReplicaNetwork
  #mode: SinkMode = 'nothing'
  #height: Height = 0
  readonly #digests: Digest[] = []
  #manifestTotal = Infinity
  #next = 0
  #request = 0
  #unanswered = 0
  #connected = false
  #ready!: () => void
  /** Its manifest is there. */
  readonly ready: Promise<void> = new Promise((resolve) => (this.#ready = resolve))
  #timer: ReturnType<typeof setInterval> | null = null
  bytes = 0
  answers = 0

  constructor(options: StateSinkOptions) {
    const { network, self, folder, server } = options
    this.#options = options
    this.#links = new ReplicaNetwork({
      epoch: network.epoch,
      self,
      linkSecretKey: readIdentity(folder).link.secretKey,
      listen: network.epoch.members.find(({ id }) => id === self)!.addresses,
      hello: { version: linkVersion, incarnation: 1, process: new Uint8Array(processNonceBytes) },
      seen: nobodySeen,
      clients: [],
      random: createRandom('sink'),
      nowMs: () => performance.now(),
      listener: {
        peerFrame: (from, frame) => {
          if (from === server) this.#frame(frame)
        },
        peerChanged: (replica, connected) => {
          if (replica === server) this.#connected = connected
        },
        peerRefuses: () => {},
        clientFrame: () => {},
        clientOpened: () => {},
        clientClosed: () => {},
        failed: (cause) => {
          throw cause
        },
      },
    })
  }

  async start(): Promise<void> {
    await this.#links.start()
    this.#timer = setInterval(() => {
      if (this.#connected) this.#ask({ kind: 'newest', request: this.#request++ })
    }, 1_000)
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#links.stop()
  }

  setMode(mode: SinkMode): void {
    this.#mode = mode
    this.#unanswered = 0
    this.#askMore()
  }

  #frame(frame: Uint8Array): void {
    const decoded = decode(frameCodec, frame)
    if (!decoded.ok) throw new Error(decoded.error.message)
    for (const { channel: through, body } of decoded.value.items) {
      if (through !== channel.state) continue
      const answer = decode(transferAnswerCodec, body)
      if (!answer.ok) throw new Error(answer.error.message)
      this.bytes += body.length
      this.answers++
      this.#unanswered--
      this.#answer(answer.value)
    }
    this.#askMore()
  }

  #answer(answer: TransferAnswer): void {
    if (answer.kind === 'checkpoint' && this.#height === 0) {
      this.#height = answer.checkpoint.header.height
      this.#askPage()
    } else if (answer.kind === 'manifest-page' && this.#digests.length < this.#manifestTotal) {
      for (const { digest } of answer.entries) this.#digests.push(digest.slice())
      this.#manifestTotal = answer.total
      if (this.#digests.length < answer.total) this.#askPage()
      else this.#ready()
    }
  }

  #askPage(): void {
    this.#ask({ kind: 'manifest', request: this.#request++, height: this.#height, first: this.#digests.length })
  }

  /** As much as one member may have waiting. */
  #askMore(): void {
    if (this.#mode === 'chunks' && this.#unanswered <= 0) {
      const count = Math.min(chunksAskedMax, this.#digests.length)
      const digests = Array.from({ length: count }, () => this.#digests[this.#next++ % this.#digests.length]!)
      this.#unanswered = count
      this.#ask({ kind: 'chunks', request: this.#request++, height: this.#height, digests })
    }
    for (; this.#mode === 'small' && this.#unanswered < waitingRequestsMax; this.#unanswered++) {
      // Beyond the manifest's end, and so an empty page.
      this.#ask({ kind: 'manifest', request: this.#request++, height: this.#height, first: this.#digests.length })
    }
  }

  #ask(request: TransferRequest): void {
    const items = [{ channel: channel.state, body: encode(transferRequestCodec, request) }]
    const { network, server } = this.#options
    this.#links.sendPeer(server, encode(frameCodec, { epoch: network.epoch.number, items }))
    this.#links.endTurn()
  }
}
