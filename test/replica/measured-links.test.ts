// What a protocol is told of its links in a running replica: the round trips that they have measured.

import { afterEach, expect, it } from 'vitest'
import type { ProtocolPorts } from '../../src/kernel/protocol.ts'
import { definitionOf } from '../../src/replica/protocols.ts'
import { testReplicas, type TestReplicas } from './replicas.ts'

let replicas: TestReplicas

afterEach(() => replicas.close())

it('a protocol is told the round trip to each member, as the status shows it', async () => {
  replicas = await testReplicas(3)
  const definition = definitionOf('raft')
  let ports: ProtocolPorts | null = null
  const watched: typeof definition = {
    ...definition,
    create: (options) => {
      ports = options.ports
      return definition.create(options)
    },
  }
  const [first, second] = [replicas.make(1, { definition: watched }), replicas.make(2)]
  const [, other] = replicas.network.epoch.members
  const peer = () => first.status().peers.find(({ replica }) => replica === other!.id)!
  const shown = (): number | null => peer().roundTripMs
  await first.start()
  const { roundTripMs } = ports as unknown as ProtocolPorts
  expect(roundTripMs(other!.id)).toBeNull()
  await second.start()
  while (shown() === null) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(roundTripMs(other!.id)).toBe(shown())
  await second.close()
  while (peer().connected) await new Promise((resolve) => setTimeout(resolve, 20))
  // It is where it was when it comes back.
  expect(roundTripMs(other!.id)).not.toBeNull()
})
