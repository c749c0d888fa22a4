// Collects what leaves in one turn and hands it over as few frames: a frame costs more than the messages in it.

import { encode } from '../../wire/codec.ts'
import type { EpochNumber, ReplicaId } from '../../kernel/ids.ts'
import { frameBytesMax, frameCodec, frameItemsMax, itemBytes, type FrameItem } from './frame.ts'

export interface Links {
  /** Never blocks and never fails: a frame that cannot be sent is lost, as any frame may be. */
  send(to: ReplicaId, frame: Uint8Array): void
}

export class Outbox {
  readonly #epoch: EpochNumber
  readonly #links: Links
  readonly #items = new Map<ReplicaId, FrameItem[]>()

  constructor(epoch: EpochNumber, links: Links) {
    this.#epoch = epoch
    this.#links = links
  }

  add(to: ReplicaId, item: FrameItem): void {
    const items = this.#items.get(to)
    if (items === undefined) this.#items.set(to, [item])
    else items.push(item)
  }

  flush(): void {
    if (this.#items.size === 0) return
    for (const [to, items] of this.#items) this.#send(to, items)
    this.#items.clear()
  }

  #send(to: ReplicaId, items: readonly FrameItem[]): void {
    let first = 0
    let size = 0
    for (let index = 0; index < items.length; index++) {
      const next = itemBytes(items[index]!)
      const full = size + next > frameBytesMax / 2 || index - first === frameItemsMax
      if (index > first && full) {
        this.#links.send(to, encode(frameCodec, { epoch: this.#epoch, items: items.slice(first, index) }))
        first = index
        size = 0
      }
      size += next
    }
    this.#links.send(to, encode(frameCodec, { epoch: this.#epoch, items: items.slice(first) }))
  }
}
