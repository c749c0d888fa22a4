// Ports that nobody uses now, and that stay free while their replicas are stopped: unless told otherwise, systems give ports from 32768 on
// to whoever connects to somebody, so that one of those may be gone when its replica starts again.

import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { Failure, systemCode } from '../failure.ts'

export const firstPort = 10_240
export const lastPort = 32_767

/** Begins anywhere, since several commands may look at the same time, and goes on from there: no port twice until all were looked at. */
let next = randomInt(firstPort, lastPort + 1)

/** So many, all different: they are held together, and let go together. */
export async function freePorts(host: string, count: number): Promise<number[]> {
  const held: { port: number; server: Server }[] = []
  try {
    for (let looks = firstPort; held.length < count; looks++) {
      const port = next
      next = port === lastPort ? firstPort : port + 1
      const server = await hold(host, port, looks > lastPort)
      if (server !== null) held.push({ port, server })
    }
    return held.map(({ port }) => port)
  } catch (error) {
    throw new Failure(
      'ERR_NO_PORTS',
      `${host} offers no ${count} free ports (${systemCode(error)}): name an address of this machine, or --port`,
    )
  } finally {
    await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))))
  }
}

/** Null: somebody uses it, which is an error once all were looked at. */
function hold(host: string, port: number, isLastLook: boolean): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', (error) => {
      const isUsed = systemCode(error) === 'EADDRINUSE' || systemCode(error) === 'EACCES'
      if (isUsed && !isLastLook) resolve(null)
      else reject(error)
    })
    server.listen({ host, port, exclusive: true }, () => resolve(server))
  })
}
