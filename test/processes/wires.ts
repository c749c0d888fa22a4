// The wires between the replicas of a real network, so that they can be cut: whatever one replica sends to another goes through a socket
// of this process. Each ordered pair has one, because who dials cannot be told from a connection.

import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import type { ReadNetwork } from '../../src/kernel/network-file.ts'

/** Silent: what is sent is neither delivered nor refused. Reset: connections end, and new ones end at once. */
export type Cut = 'silent' | 'reset'

export class Wires {
  readonly #wires: readonly Wire[]

  private constructor(wires: readonly Wire[]) {
    this.#wires = wires
  }

  static async lay({ epoch }: ReadNetwork): Promise<Wires> {
    const wires = epoch.members.flatMap(({ id: to, addresses }) => {
      const port = Number(/^\/ip4\/127\.0\.0\.1\/tcp\/(\d+)$/.exec(addresses[0]!)![1])
      return epoch.members.filter(({ id }) => id !== to).map(({ id: from }) => new Wire(from, to, port))
    })
    await Promise.all(wires.map((wire) => wire.open()))
    return new Wires(wires)
  }

  /** Where `from` finds the others. */
  addressesFor(from: number): Record<number, string> {
    const own = this.#wires.filter((wire) => wire.from === from)
    return Object.fromEntries(own.map(({ to, port }) => [to, `/ip4/127.0.0.1/tcp/${port}`]))
  }

  /** Between these and all others. */
  cut(away: readonly number[], how: Cut): void {
    for (const wire of this.#wires) {
      if (away.includes(wire.from) !== away.includes(wire.to)) wire.cut(how)
    }
  }

  mend(): void {
    for (const wire of this.#wires) wire.mend()
  }

  async close(): Promise<void> {
    await Promise.all(this.#wires.map((wire) => wire.close()))
  }
}

class Wire {
  readonly from: number
  readonly to: number
  readonly #target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut: Cut | null = null

  constructor(from: number, to: number, target: number) {
    this.from = from
    this.to = to
    this.#target = target
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#accept(near))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', resolve)
    })
  }

  cut(how: Cut): void {
    this.#cut = how
    for (const socket of this.#sockets) {
      if (how === 'reset') socket.resetAndDestroy()
      else socket.pause()
    }
  }

  mend(): void {
    this.#cut = null
    for (const socket of this.#sockets) socket.resume()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(near: Socket): void {
    if (this.#cut === 'reset') return void near.resetAndDestroy()
    const far = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true })
    this.#carry(near, far)
    this.#carry(far, near)
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    from.setNoDelay(true)
    from.on('data', (bytes) => {
      if (!to.write(bytes)) from.pause()
    })
    from.on('drain', () => {
      if (this.#cut === null) to.resume()
    })
    from.on('end', () => to.end())
    // Whatever ended one ends the other.
    from.on('error', () => to.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
    if (this.#cut === 'silent') from.pause()
  }
}
