// What an adversary does to the bytes on their way out: beyond what its protocol can say.

import { decode, encode } from '../../wire/codec.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { frameCodec, isHostChannel } from '../../replica/driver/frame.ts'
import type { Attack } from './behaviour.ts'

/** What leaves in the place of a frame to another replica. */
export function framesOf<Message>(attack: Attack<Message>, to: ReplicaId, bytes: Uint8Array): readonly Uint8Array[] {
  const rewritten = attack.hostItem === undefined ? bytes : rewrite(attack, to, bytes)
  if (rewritten === null) return []
  return attack.frame === undefined ? [rewritten] : attack.frame(rewritten, to)
}

function rewrite<Message>(attack: Attack<Message>, to: ReplicaId, bytes: Uint8Array): Uint8Array | null {
  const frame = decode(frameCodec, bytes)
  if (!frame.ok) return bytes
  const items = frame.value.items.flatMap((item) => (isHostChannel(item.channel) ? attack.hostItem!(item, to) : item))
  return items.length === 0 ? null : encode(frameCodec, { ...frame.value, items })
}
