// Goal: where leaders take turns, what a client asks for is sent n times by the client and handed on by nobody, so that it is with whoever leads
// next after one way. Method: real replicas in this process, and every message between them and to the client counted; operations one after
// another, and timeouts that never come.

import { afterEach, expect, it } from 'vitest'
import { createClient } from '../../src/client/node.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import { clientResponseCodec } from '../../src/kernel/client-messages.ts'
import { channel, frameCodec } from '../../src/replica/driver/frame.ts'
import { decode } from '../../src/wire/codec.ts'
import { put, testReplicas, type StoreReplica, type TestReplicas } from './replicas.ts'

let replicas: TestReplicas
afterEach(() => replicas.close())

interface Counts {
  /** Messages between replicas that hand requests on. */
  handedOn: number
  /** Messages to the client that name a leader. */
  hints: number
}

async function start(protocol: 'pbft' | 'hotstuff', count: number): Promise<{ all: StoreReplica[]; counts: Counts }> {
  const counts: Counts = { handedOn: 0, hints: 0 }
  replicas = await testReplicas(count, { timers: { timeoutMsBase: 20_000 } }, protocol)
  const outgoing = {
    frame: (bytes: Uint8Array): Uint8Array[] => {
      const frame = decode(frameCodec, bytes)
      if (frame.ok) counts.handedOn += frame.value.items.filter((item) => item.channel === channel.forward).length
      return [bytes]
    },
    reply: (bytes: Uint8Array): Uint8Array[] => {
      const response = decode(clientResponseCodec, bytes)
      if (response.ok && response.value.kind === 'hint') counts.hints++
      return [bytes]
    },
  }
  const all = replicas.network.epoch.members.map(({ id }) => replicas.make(id, { clients: 'anyone', outgoing }))
  await Promise.all(all.map((replica) => replica.start()))
  return { all, counts }
}

const operations = 10

it('of hotstuff come to all, and are handed on by none', async () => {
  const { counts } = await start('hotstuff', 4)
  const key = { secretKey: new Uint8Array(32).fill(7) }
  const client = createClient({ network: replicas.network, key, stateMachine: keyValueStore })
  await client.ready({ replicas: 4 })
  for (let number = 0; number < operations; number++) await client.submit(put(`value ${number}`))
  expect(counts).toEqual({ handedOn: 0, hints: 0 })
  await client.close()
})

it('that are the own application of a replica reach whoever leads through it', async () => {
  const { all, counts } = await start('hotstuff', 4)
  for (let number = 0; number < operations; number++) await all[0]!.submit(put(`value ${number}`))
  expect(counts.handedOn).toBeGreaterThan(0)
})
