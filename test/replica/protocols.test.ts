// One word in the network file chooses the protocol; replicas, clients and applications stay as they are.

import { afterEach, describe, expect, it } from 'vitest'
import { createClient } from '../../src/client/node.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import { protocolNames } from '../../src/kernel/ids.ts'
import { definitionOf } from '../../src/replica/protocols.ts'
import { get, put, testReplicas, type TestReplicas } from './replicas.ts'

let replicas: TestReplicas | null = null
afterEach(async () => {
  await replicas?.close()
  replicas = null
})

describe('the protocol of a network', () => {
  it.each(protocolNames)('%s has a replica', async (protocol) => {
    expect(definitionOf(protocol).name).toBe(protocol)
    const network = await testReplicas(4, {}, protocol)
    replicas = network
    const made = [1, 2, 3, 4].map((id) => network.make(id, { clients: 'anyone' }))
    await Promise.all(made.map((replica) => replica.start()))
    for (const [index, replica] of made.entries()) {
      await replica.submit(put(`value ${index}`))
    }
    const answers = await Promise.all(made.map((replica) => replica.query(get)))
    for (const answer of answers) {
      expect(answer.result).toMatchObject({ entry: { value: new TextEncoder().encode('value 3') } })
    }
    expect(made.map((replica) => replica.status().protocol)).toEqual(made.map(() => protocol))
    // Over the network, signed where the epoch asks for it.
    const key = { secretKey: new Uint8Array(32).fill(7) }
    const client = createClient({ network: network.network, key, stateMachine: keyValueStore })
    await client.submit(put('from afar'))
    expect((await client.query(get)).result).toMatchObject({ entry: { value: new TextEncoder().encode('from afar') } })
    await client.close()
  })
})
