// What one replica sends another in one turn of its loop: all messages that arose, as one frame.

import { bytes, list, struct, u53, u8, upTo, type Codec } from '../../wire/codec.ts'
import type { EpochNumber } from '../../kernel/ids.ts'

/** Channels share a frame, and are told apart by their number. */
export const channel = {
  /** Messages of the epoch's protocol. */
  protocol: 1,
  /** Envelopes handed on to a replica that can order them. */
  forward: 2,
  /** Signatures on executed headers, and the checkpoints that a quorum of them makes. */
  checkpoint: 3,
  /** State for replicas that lag behind everybody's log. */
  state: 4,
  /** Payloads and decided blocks for replicas that lack them. */
  blocks: 5,
} as const

export type Channel = (typeof channel)[keyof typeof channel]
/** Channels whose messages are the host's own, and no protocol's. */
export type HostChannel = Exclude<Channel, typeof channel.protocol>

export interface FrameItem {
  channel: number
  body: Uint8Array
}

export interface Frame {
  /** Whatever belongs to another epoch is dropped whole. */
  epoch: EpochNumber
  items: FrameItem[]
}

/** One frame: room for a full block and the small messages beside it. */
export const frameBytesMax = 8 * 1024 * 1024
export const frameItemsMax = 4096
const itemOverheadBytes = 5

const itemCodec: Codec<FrameItem> = struct<FrameItem>({ channel: upTo(u8, channel.blocks), body: bytes(frameBytesMax) })

export const frameCodec: Codec<Frame> = struct<Frame>({ epoch: u53, items: list(itemCodec, frameItemsMax) })

export function itemBytes(item: FrameItem): number {
  return itemOverheadBytes + item.body.length
}

export function isHostChannel(number: number): number is HostChannel {
  return number > channel.protocol && number <= channel.blocks
}
