// libp2p with every default that matters here set on purpose (architecture.md §8; docs/decisions/0009-links.md).

import './promise-with-resolvers.ts'
import { noise } from '@chainsafe/libp2p-noise'
import type { ConnectionGater } from '@libp2p/interface'
import type { Libp2pOptions } from 'libp2p'
import type { NetworkId } from '../../kernel/ids.ts'
import { boundedYamux } from './bounded-yamux.ts'
import { lengthsAtHand } from './lengths-at-hand.ts'
import { wholeWrites } from './whole-writes.ts'

/** On the way to a stream, and buffered for one that is paused; whoever sends more loses the connection. It does not grow. */
export const windowBytesMax: number = 1024 * 1024
const readBufferBytesMax = 4 * 1024 * 1024
/** Our own queue holds what the socket does not take; a stream that still has so much unwritten is broken. */
const writeBufferBytesMax = 32 * 1024 * 1024
/** Unwritten behind all streams of a connection: pongs and windows of yamux, for somebody who does not read. */
const connectionWriteBytesMax = 2 * 1024 * 1024
/** For a handshake, and for agreeing on what a stream is for. */
export const negotiationMsMax = 5_000

/** One stream each way of asking is all that anyone needs on a connection. */
const streamsPerConnectionMax = 4

export function sharedSettings(): Libp2pOptions {
  return {
    connectionEncrypters: [lengthsAtHand(wholeWrites(noise()))],
    streamMuxers: [
      () =>
        boundedYamux(
          {
            // Heartbeats are ours: a busy loop must not cost a connection.
            enableKeepAlive: false,
            maxInboundStreams: streamsPerConnectionMax,
            maxOutboundStreams: streamsPerConnectionMax,
            maxEarlyStreams: streamsPerConnectionMax,
            streamOptions: {
              initialStreamWindowSize: windowBytesMax,
              maxStreamWindowSize: windowBytesMax,
              maxReadBufferLength: readBufferBytesMax,
              maxWriteBufferLength: writeBufferBytesMax,
            },
          },
          { frameBytesMax: windowBytesMax, writeBytesMax: connectionWriteBytesMax },
        ),
    ],
    connectionMonitor: { enabled: false, abortConnectionOnPingFailure: false },
    // No discovery, no routing, no identify: members and clients are known, and dial each other by address.
    services: {},
  }
}

/** For whoever dials: replicas on this machine or a private network are as good as any. */
export const diallerGater: ConnectionGater = { denyDialMultiaddr: () => false }

export const connectionSettings = {
  dialTimeout: negotiationMsMax,
  addressDialTimeout: negotiationMsMax,
  // A member's addresses are tried as they stand in the network file.
  addressSorter: (): 0 => 0,
  inboundUpgradeTimeout: negotiationMsMax,
  outboundStreamProtocolNegotiationTimeout: negotiationMsMax,
  inboundStreamProtocolNegotiationTimeout: negotiationMsMax,
  // We dial again ourselves, with jitter.
  reconnectRetries: 0,
} as const

/** Networks do not mix: what a stream is for names the network. */
export function streamProtocol(network: NetworkId, purpose: 'replica' | 'client'): string {
  const name = Array.from(network.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `/quorate/1/${name}/${purpose}`
}
