// Ports that nobody uses now. Somebody may take one before it is used; the system hands out others first, so that is rare.

import { createServer, type AddressInfo, type Server } from 'node:net'
import { Failure, systemCode } from '../failure.ts'

/** So many, all different: they are held together, and let go together. */
export async function freePorts(host: string, count: number): Promise<number[]> {
  const held: Server[] = []
  try {
    for (let index = 0; index < count; index++) held.push(await hold(host))
    return held.map((server) => (server.address() as AddressInfo).port)
  } catch (error) {
    throw new Failure(
      'ERR_NO_PORTS',
      `${host} offers no ${count} free ports (${systemCode(error)}): name an address of this machine, or --port`,
    )
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

function hold(host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen({ host, port: 0, exclusive: true }, () => resolve(server))
  })
}
