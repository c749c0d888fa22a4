// Goal: a crowd of clients, and connections on which nothing happens, take no place from members or from those who use theirs.

import type { Connection } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import {
  clientConnectionsMax,
  clientConnectionsPerKeyMax,
  InboundConnections,
  memberConnectionsMax,
  unusedMsMax,
} from '../../../src/network/node/inbound-connections.ts'

const member = new Uint8Array(32).fill(255)
const forbidden = new Uint8Array(32).fill(254)

function client(number: number): Uint8Array {
  const key = new Uint8Array(32)
  new DataView(key.buffer).setUint32(0, number)
  return key
}

function inboundOf() {
  const inbound = new InboundConnections(
    (key) => key[0] === 255,
    (key) => key[0] !== 254,
  )
  /** As libp2p does it: the connection says that it has closed while it is aborted. */
  const connect = (key: Uint8Array, nowMs = 0) => {
    const connection = { status: 'open' } as { status: string; abort: () => void }
    connection.abort = () => {
      connection.status = 'aborted'
      inbound.closed(connection as unknown as Connection)
    }
    inbound.opened(connection as unknown as Connection, key, nowMs)
    return connection as unknown as Connection
  }
  return { inbound, connect }
}

describe('InboundConnections', () => {
  it('admits members however many clients there are, and clients no more than there are places', () => {
    const { inbound, connect } = inboundOf()
    for (let number = 0; number < clientConnectionsMax; number++) {
      expect(inbound.admits(client(number))).toBe(true)
      connect(client(number))
    }
    expect(inbound.admits(client(clientConnectionsMax))).toBe(false)
    expect(inbound.admits(member)).toBe(true)
    expect(connect(member).status).toBe('open')
    expect(inbound.count).toBe(clientConnectionsMax + 1)
  })

  it('admits one key so often, members too, and nobody who is not permitted', () => {
    const { inbound, connect } = inboundOf()
    for (let count = 0; count < clientConnectionsPerKeyMax; count++) connect(client(1))
    expect(inbound.admits(client(1))).toBe(false)
    expect(inbound.admits(client(2))).toBe(true)
    for (let count = 0; count < memberConnectionsMax; count++) connect(member)
    expect(inbound.admits(member)).toBe(false)
    expect(inbound.admits(forbidden)).toBe(false)
  })

  it('closes what handshakes at the same time have brought beyond the number', () => {
    const { inbound, connect } = inboundOf()
    const all = Array.from({ length: clientConnectionsPerKeyMax + 5 }, () => connect(client(1)))
    expect(all.filter(({ status }) => status === 'open')).toHaveLength(clientConnectionsPerKeyMax)
    expect(inbound.count).toBe(clientConnectionsPerKeyMax)
  })

  it('closes what carries no link in time, and nothing that does', () => {
    const { inbound, connect } = inboundOf()
    const used = connect(client(1), 0)
    const unused = connect(client(1), 0)
    const young = connect(client(1), 1)
    inbound.used(used)
    inbound.tick(unusedMsMax)
    expect(unused.status).toBe('open')
    inbound.tick(unusedMsMax + 1)
    expect([used.status, unused.status, young.status]).toEqual(['open', 'aborted', 'open'])
    expect(inbound.count).toBe(2)
  })

  it('gives every place back, also of a connection whose end nobody has told', () => {
    const { inbound, connect } = inboundOf()
    const all = Array.from({ length: clientConnectionsPerKeyMax }, () => connect(client(1)))
    all[0]!.abort(new Error('gone'))
    ;(all[1] as unknown as { status: string }).status = 'closed'
    inbound.tick(0)
    expect(inbound.count).toBe(clientConnectionsPerKeyMax - 2)
    for (const connection of all.slice(2)) connection.abort(new Error('gone'))
    expect(inbound.count).toBe(0)
    for (let number = 0; number < clientConnectionsMax; number++) connect(client(number))
    expect(inbound.count).toBe(clientConnectionsMax)
  })
})
