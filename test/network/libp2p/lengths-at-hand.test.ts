// Goal: reading frames throws nothing. An exception with its stack for each read is what libp2p's decoder of lengths costs without this.

import { afterEach, describe, expect, it, vi } from 'vitest'
import { asksWhatIsThere } from '../../../src/network/libp2p/lengths-at-hand.ts'
import { isConnected, memberOf, startMembers, until } from '../node/test-network.ts'

afterEach(() => vi.unstubAllGlobals())

describe('a connection that is read from', () => {
  it('makes no exception for what has not come yet', async () => {
    const [first, second] = await startMembers(2)
    await until(() => isConnected(first!, 2) && isConnected(second!, 1))
    let made = 0
    const Original = RangeError
    const counting = function (message: string): RangeError {
      made++
      return new Original(message)
    }
    counting.prototype = Original.prototype
    vi.stubGlobal('RangeError', counting)
    for (let count = 1; count <= 10; count++) {
      first!.network.sendPeer(memberOf(2).id, new Uint8Array(count))
      second!.network.sendPeer(memberOf(1).id, new Uint8Array(count))
      await until(() => second!.frames.length === count && first!.frames.length === count)
    }
    expect(made).toBe(0)
  })

  it('is told by the same exception where a length has not come whole, and passes on what has', () => {
    const connection = { decoder: { lengthDecoder: (data: { length: number }) => data.length } }
    asksWhatIsThere(connection)
    const { lengthDecoder } = connection.decoder
    expect(() => lengthDecoder({ length: 1 })).toThrow(RangeError)
    expect(lengthDecoder({ length: 2 })).toBe(2)
  })

  it('is left as it is where it decodes in another way', () => {
    const connection = Object.freeze({ decoder: null })
    expect(() => asksWhatIsThere(connection)).not.toThrow()
  })
})
