/**
 * Noise over connections that are written to once for each message. libp2p hands a socket the length, the header, the body and the tag of
 * one message in four writes: four calls of the system, and on an idle machine a reader that is woken for each of them.
 */

import type { ConnectionEncrypter } from '@libp2p/interface'

/** Of libp2p's list of pieces, as much as is needed here. */
interface Pieces {
  readonly byteLength: number
  subarray(): Uint8Array
  consume(bytes: number): void
  append(piece: Uint8Array): void
}

interface Sending {
  sendData(data: Pieces): unknown
}

type Create<Components> = (components: Components) => ConnectionEncrypter<unknown>

export function wholeWrites<Components>(create: Create<Components>): Create<Components> {
  return (components) => {
    const encrypter = create(components)
    const { secureInbound, secureOutbound } = encrypter
    encrypter.secureInbound = (connection, options) => secureInbound.call(encrypter, whole(connection), options)
    encrypter.secureOutbound = (connection, options) => secureOutbound.call(encrypter, whole(connection), options)
    return encrypter
  }
}

/** The same connection; one that does not send in this way is left as it is. */
export function whole<Connection extends object>(connection: Connection): Connection {
  if (!isSending(connection)) return connection
  const sendData = connection.sendData.bind(connection)
  // A copy of what was just encrypted costs a thousandth of encrypting it.
  connection.sendData = (data) => {
    const bytes = data.subarray()
    data.consume(data.byteLength)
    data.append(bytes)
    return sendData(data)
  }
  return connection
}

function isSending(connection: object): connection is Sending {
  return 'sendData' in connection && typeof connection.sendData === 'function'
}
