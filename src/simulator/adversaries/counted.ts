// Counts what a liar does in another way than a correct replica would: a liar that tells no lies tests nothing.

import { encode, type Codec } from '../../wire/codec.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Attack, Post } from './behaviour.ts'

/** The same attack, but for ends at will, which the cast brings about. `lie` is called for each message, frame or answer that is another, late, missing, or unasked for. */
export function counted<Message>(attack: Attack<Message>, codec: Codec<Message>, lie: () => void): Attack<Message> {
  const { receive, tick, hostItem, frame, reply, payload, decided } = attack
  /** What is told unasked. */
  const telling =
    (post: Post<Message>): Post<Message> =>
    (to, message, afterMs) => {
      lie()
      post(to, message, afterMs)
    }
  const changed = <Value>(before: Value, after: Value): Value => {
    if (before !== after) lie()
    return after
  }
  return {
    ...attack,
    ...(attack.send && { send: countedSend(attack, codec, lie) }),
    ...(receive && {
      receive: (message: Message, from: ReplicaId, post: Post<Message>) =>
        changed(true, receive.call(attack, message, from, telling(post))),
    }),
    ...(tick && { tick: (post: Post<Message>) => tick.call(attack, telling(post)) }),
    ...(hostItem && {
      hostItem: (item, to) => {
        const items = hostItem.call(attack, item, to)
        if (items.length !== 1 || items[0] !== item) lie()
        return items
      },
    }),
    ...(frame && {
      frame: (bytes, to) => {
        const frames = frame.call(attack, bytes, to)
        if (frames.length !== 1 || frames[0] !== bytes) lie()
        return frames
      },
    }),
    ...(reply && { reply: (bytes) => changed(bytes, reply.call(attack, bytes)) }),
    ...(payload && { payload: (bytes) => changed(bytes, payload.call(attack, bytes)) }),
    ...(decided && {
      decided: (blocks) => {
        const told = decided.call(attack, blocks)
        if (told.length !== blocks.length || told.some((one, index) => one !== blocks[index])) lie()
        return told
      },
    }),
  }
}

function countedSend<Message>(
  attack: Attack<Message>,
  codec: Codec<Message>,
  lie: () => void,
): NonNullable<Attack<Message>['send']> {
  const isSame = (left: Message, right: Message): boolean =>
    left === right || equalBytes(encode(codec, left), encode(codec, right))
  return (message, to, post) => {
    let posted = 0
    attack.send!(message, to, (receiver, told, afterMs = 0) => {
      posted++
      if (posted > 1 || receiver !== to || afterMs > 0 || !isSame(message, told)) lie()
      post(receiver, told, afterMs)
    })
    if (posted === 0) lie()
  }
}
