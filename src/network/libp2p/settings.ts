// libp2p with every default that matters here set on purpose (architecture.md §8; docs/decisions/0009-links.md).

import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2pOptions } from 'libp2p'
import type { NetworkId } from '../../kernel/ids.ts'

/** Buffered by yamux for a stream that is paused; its window keeps an honest peer below it. */
const readBufferBytesMax = 16 * 1024 * 1024
const windowBytesMax = 8 * 1024 * 1024
/** Our own queue holds what the socket does not take; a stream that still has so much unwritten is broken. */
const writeBufferBytesMax = 32 * 1024 * 1024
const negotiationMsMax = 5_000

/** One stream each way of asking is all that anyone needs on a connection. */
const streamsPerConnectionMax = 4

export function sharedSettings(): Libp2pOptions {
  return {
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        // Heartbeats are ours: a busy loop must not cost a connection.
        enableKeepAlive: false,
        maxInboundStreams: streamsPerConnectionMax,
        maxOutboundStreams: streamsPerConnectionMax,
        maxEarlyStreams: streamsPerConnectionMax,
        maxMessageSize: 64 * 1024,
        streamOptions: {
          initialStreamWindowSize: 1024 * 1024,
          maxStreamWindowSize: windowBytesMax,
          maxReadBufferLength: readBufferBytesMax,
          maxWriteBufferLength: writeBufferBytesMax,
        },
      }),
    ],
    connectionMonitor: { enabled: false, abortConnectionOnPingFailure: false },
    // No discovery, no routing, no identify: members and clients are known, and dial each other by address.
    services: {},
  }
}

export const connectionSettings = {
  dialTimeout: negotiationMsMax,
  addressDialTimeout: negotiationMsMax,
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
