// A member's addresses, bound to its key: whoever else answers there is refused in the handshake.

import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { Member } from '../../kernel/membership.ts'
import { peerIdOf } from './identity.ts'

export type Transport = 'tcp' | 'websocket'

/** In order of preference. Where the wanted transport is not offered, none: it could not be dialled. */
export function addressesOf(member: Pick<Member, 'linkKey' | 'addresses'>, transport: Transport): Multiaddr[] {
  const peer = peerIdOf(member.linkKey).toString()
  return member.addresses
    .filter((address) => isWebSocket(address) === (transport === 'websocket'))
    .map((address) => multiaddr(`${address}/p2p/${peer}`))
}

function isWebSocket(address: string): boolean {
  return /\/wss?(\/|$)/.test(address)
}
