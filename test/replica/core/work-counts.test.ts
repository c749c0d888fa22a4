// What a replica counts of its own work. That the counts are right where everything is wired together is asserted exactly in test/benchmark.

import { expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { WorkCounts } from '../../../src/replica/core/work-counts.ts'
import { channel } from '../../../src/replica/driver/frame.ts'

it('counts messages by name, their bytes, and the frames that they leave in', () => {
  const counts = new WorkCounts()
  const left: number[] = []
  const links = counts.links({ send: (to, frame) => left.push(to, frame.length) })
  counts.message(channel.protocol, { kind: 'vote' }, 10)
  counts.message(channel.protocol, { kind: 'vote' }, 11)
  counts.message(channel.checkpoint, null, 5)
  counts.message(channel.state, null, 6)
  counts.message(channel.blocks, null, 7)
  counts.message(channel.forward, null, 8)
  links.send(replicaId(2), new Uint8Array(30))
  links.send(replicaId(3), new Uint8Array(31))
  const { work } = counts
  expect(work).toMatchObject({ framesSent: 2, bytesSent: 61 })
  expect(work.sent).toEqual({
    vote: { messages: 2, bytes: 21 },
    checkpoint: { messages: 1, bytes: 5 },
    state: { messages: 1, bytes: 6 },
    blocks: { messages: 1, bytes: 7 },
    forward: { messages: 1, bytes: 8 },
  })
  expect(left).toEqual([2, 30, 3, 31])
  counts.message(channel.protocol, { kind: 'vote' }, 10)
  // Whoever has asked keeps what he was told.
  expect(work.sent['vote']).toEqual({ messages: 2, bytes: 21 })
})

it('counts signatures by who asked for them, and changes none of them', () => {
  const counts = new WorkCounts()
  const [key, message, signature] = [new Uint8Array(32), new Uint8Array([1]), new Uint8Array(64)]
  const signer = counts.signer({ publicKey: key, sign: () => signature }, 'checkpoints')
  const verifier = counts.verifier({ verify: (of, _, made) => of === key && made === signature }, 'envelopes')
  expect([signer.publicKey, signer.sign(message)]).toEqual([key, signature])
  expect([verifier.verify(key, message, signature), verifier.verify(key, message, new Uint8Array(64))]).toEqual([
    true,
    false,
  ])
  expect(counts.work.signatures).toEqual({
    protocol: { made: 0, checked: 0 },
    checkpoints: { made: 1, checked: 0 },
    envelopes: { made: 0, checked: 2 },
    fetching: { made: 0, checked: 0 },
  })
})
