// A client's links from a browser: libp2p over WebSockets.

import { webSockets } from '@libp2p/websockets'
import { createLibp2p } from 'libp2p'
import { connectReplicas, type ConnectOptions, type ConnectedReplicas } from '../libp2p/connect-replicas.ts'

export function connectClient(options: Omit<ConnectOptions, 'create' | 'transport'>): ConnectedReplicas {
  return connectReplicas({
    ...options,
    transport: 'websocket',
    create: (init) => createLibp2p({ ...init, transports: [webSockets()] }),
  })
}
