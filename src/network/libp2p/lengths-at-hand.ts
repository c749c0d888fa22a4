/**
 * Noise over connections whose decoder asks for a length only when it is there. After each read libp2p's decoder tries to decode one more
 * length from what is left, mostly nothing, and is told by an exception that there is none: with its stack trace, 4 to 10% of the CPU of a
 * process that serves one operation at a time. The exception is the same; it is made once.
 */

import type { ConnectionEncrypter } from '@libp2p/interface'

/** Of what decodes lengths, as much as is needed here. */
interface Buffered {
  readonly length: number
}

type LengthDecoder = (data: Buffered) => number

interface Decoding {
  decoder: { lengthDecoder: LengthDecoder }
}

type Create<Components> = (components: Components) => ConnectionEncrypter<unknown>

const lengthBytes = 2
/** What the decoder takes for "not enough yet". Nobody sees it, so that its stack, which is that of this line, misleads nobody. */
const tooFewBytes = new RangeError('Could not decode int16BE')

export function lengthsAtHand<Components>(create: Create<Components>): Create<Components> {
  return (components) => {
    const encrypter = create(components)
    const { secureInbound, secureOutbound } = encrypter
    encrypter.secureInbound = async (connection, options) => {
      const secured = await secureInbound.call(encrypter, connection, options)
      asksWhatIsThere(secured.connection)
      return secured
    }
    encrypter.secureOutbound = async (connection, options) => {
      const secured = await secureOutbound.call(encrypter, connection, options)
      asksWhatIsThere(secured.connection)
      return secured
    }
    return encrypter
  }
}

/** A connection that decodes in another way is left as it is. */
export function asksWhatIsThere(connection: object): void {
  if (!isDecoding(connection)) return
  const { decoder } = connection
  const { lengthDecoder } = decoder
  decoder.lengthDecoder = (data) => {
    if (data.length < lengthBytes) throw tooFewBytes
    return lengthDecoder(data)
  }
}

function isDecoding(connection: object): connection is Decoding {
  if (!('decoder' in connection)) return false
  const { decoder } = connection
  return typeof decoder === 'object' && decoder !== null && 'lengthDecoder' in decoder
}
