// A client's links from Node: libp2p over TCP, listening nowhere.

import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { connectReplicas, type ConnectOptions, type ConnectedReplicas } from '../libp2p/connect-replicas.ts'

export function connectClient(options: Omit<ConnectOptions, 'create' | 'transport'>): ConnectedReplicas {
  return connectReplicas({
    ...options,
    transport: 'tcp',
    create: (init) => createLibp2p({ ...init, transports: [tcp()] }),
  })
}
