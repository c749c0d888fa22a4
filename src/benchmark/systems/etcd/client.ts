// A client of etcd with one connection: to the leader, as our clients go to theirs, and when it is lost to the next member, who hands on.

import type { SystemClient } from '../../system.ts'
import { connectGrpc, type GrpcConnection } from './grpc-connection.ts'
import { putAllRequest, putRequest, rangeRequest, type Entry } from './protobuf.ts'

export class EtcdClient implements SystemClient {
  readonly #ports: readonly number[]
  #member: number
  #connection: GrpcConnection | null = null
  #connecting: Promise<GrpcConnection> | null = null
  #closed = false

  /** Connects when something is first asked, to the member at this place. */
  constructor(ports: readonly number[], member: number) {
    this.#ports = ports
    this.#member = member
  }

  put(key: Uint8Array, value: Uint8Array): Promise<unknown> {
    return this.#call('/etcdserverpb.KV/Put', putRequest(key, value))
  }

  get(key: Uint8Array): Promise<unknown> {
    return this.#call('/etcdserverpb.KV/Range', rangeRequest(key))
  }

  putAll(entries: readonly Entry[]): Promise<unknown> {
    return this.#call('/etcdserverpb.KV/Txn', putAllRequest(entries))
  }

  close(): Promise<void> {
    this.#closed = true
    this.#connection?.close()
    return Promise.resolve()
  }

  #call(path: string, message: Uint8Array): Promise<unknown> {
    if (this.#connection?.isOpen === true) return this.#connection.call(path, message)
    return this.#connected().then((connection) => connection.call(path, message))
  }

  #connected(): Promise<GrpcConnection> {
    if (this.#closed) return Promise.reject(new Error('the client is closed'))
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = null))
    return this.#connecting
  }

  async #connect(): Promise<GrpcConnection> {
    // One that was lost is not asked again before all others.
    if (this.#connection !== null) this.#member++
    for (let tries = 1; ; tries++, this.#member++) {
      try {
        this.#connection = await connectGrpc(this.#ports[this.#member % this.#ports.length]!)
        if (this.#closed) this.#connection.close()
        return this.#connection
      } catch (error) {
        if (tries === this.#ports.length) throw error
      }
    }
  }
}
