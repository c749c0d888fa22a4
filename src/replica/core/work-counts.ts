/**
 * What a replica has sent, signed and verified since it started: what a protocol costs, counted where the simulator and a real process do
 * the same. It is all integers, and as many names as there are kinds of messages.
 *
 * Bytes are those of frames as they are handed to the links: what encryption adds, and the pings of a link, are none of a protocol's.
 */

import type { Signer, Verifier } from '../../kernel/crypto-ports.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { channel, type Channel, type HostChannel } from '../driver/frame.ts'
import type { Links } from '../driver/outbox.ts'

/** Names of what the host of one replica says to that of another, beside the kinds of the protocol's messages. */
const channelNames: Readonly<Record<HostChannel, string>> = {
  [channel.forward]: 'forward',
  [channel.checkpoint]: 'checkpoint',
  [channel.state]: 'state',
  [channel.blocks]: 'blocks',
}

export interface MessageCount {
  messages: number
  /** Without the few bytes that a frame has beside its messages. */
  bytes: number
}

export interface SignatureCount {
  made: number
  checked: number
}

/** Who asks for signatures: the protocol; what is signed about checkpoints; envelopes of clients; fetched blocks. */
export type SignatureUse = 'protocol' | 'checkpoints' | 'envelopes' | 'fetching'

export interface Work {
  /** To other replicas. */
  framesSent: number
  bytesSent: number
  /** To other replicas, one for each receiver; by name: a protocol's own, and `forward`, `checkpoint`, `state`, `blocks`. */
  sent: Readonly<Record<string, Readonly<MessageCount>>>
  /** A verdict that another thread has prepared counts when it is asked for. */
  signatures: Readonly<Record<SignatureUse, Readonly<SignatureCount>>>
}

export class WorkCounts {
  #framesSent = 0
  #bytesSent = 0
  readonly #sent = new Map<string, MessageCount>()
  readonly #signatures: Record<SignatureUse, SignatureCount> = {
    protocol: { made: 0, checked: 0 },
    checkpoints: { made: 0, checked: 0 },
    envelopes: { made: 0, checked: 0 },
    fetching: { made: 0, checked: 0 },
  }

  /** A copy. */
  get work(): Work {
    const { protocol, checkpoints, envelopes, fetching } = this.#signatures
    return {
      framesSent: this.#framesSent,
      bytesSent: this.#bytesSent,
      sent: Object.fromEntries(Array.from(this.#sent, ([name, count]) => [name, { ...count }])),
      signatures: {
        protocol: { ...protocol },
        checkpoints: { ...checkpoints },
        envelopes: { ...envelopes },
        fetching: { ...fetching },
      },
    }
  }

  message(through: Channel, message: unknown, bytes: number): void {
    const name = through === channel.protocol ? kindOf(message) : channelNames[through]
    const count = this.#sent.get(name)
    if (count === undefined) this.#sent.set(name, { messages: 1, bytes })
    else {
      count.messages++
      count.bytes += bytes
    }
  }

  links(links: Links): Links {
    return {
      send: (to: ReplicaId, frame: Uint8Array) => {
        this.#framesSent++
        this.#bytesSent += frame.length
        links.send(to, frame)
      },
    }
  }

  signer(signer: Signer, use: SignatureUse): Signer {
    const count = this.#signatures[use]
    return {
      publicKey: signer.publicKey,
      sign: (message) => {
        count.made++
        return signer.sign(message)
      },
    }
  }

  verifier(verifier: Verifier, use: SignatureUse): Verifier {
    const count = this.#signatures[use]
    return {
      verify: (publicKey, message, signature) => {
        count.checked++
        return verifier.verify(publicKey, message, signature)
      },
    }
  }
}

/** Every protocol's messages say what they are. */
function kindOf(message: unknown): string {
  return (message as { kind?: string } | null)?.kind ?? 'message'
}
