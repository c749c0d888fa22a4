// Goal: a network for one machine is whole, or is not there at all. Method: the function that `quorate init` calls, in a folder of its
// own; each way for it to fail, and then what lies in that folder.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readMemberFile, readNetworkFile } from '../../../src/cli/network-files.ts'
import { firstPort, freePorts, lastPort } from '../../../src/cli/setup/free-ports.ts'
import { createLocalNetwork, replicaFolder } from '../../../src/cli/setup/local-network.ts'
import { readKeyFile } from '../../../src/crypto/node/key-file.ts'
import type { LogListener } from '../../../src/storage/log/log.ts'
import { openDataDirectory } from '../../../src/storage/node/open-data-directory.ts'

let parent: string
let dir: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'quorate-init-'))
  dir = join(parent, 'net')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

const silent: LogListener = { durable: () => {}, full: () => {}, failed: () => {} }
const plan = { name: 'local', protocol: 'raft', replicas: 3, host: '127.0.0.1' } as const

describe('a network for one machine', () => {
  it('has the keys, the member file and the data directory of each replica', async () => {
    const made = await createLocalNetwork({ ...plan, dir })
    expect(made).toMatchObject({ dir, networkPath: join(dir, 'network.json'), clientKeyPath: join(dir, 'client.key') })
    const network = readNetworkFile(made.networkPath)
    expect(network).toEqual(made.network)
    expect(network).toMatchObject({ name: 'local', missingApprovals: [], warnings: [] })
    for (const { id, ...member } of network.epoch.members) {
      const folder = replicaFolder(dir, id)
      expect(readMemberFile(join(folder, 'member.json'))).toEqual(member)
      for (const purpose of ['consensus', 'link'] as const) {
        const publicKey = purpose === 'consensus' ? member.consensusKey : member.linkKey
        expect(readKeyFile(join(folder, `${purpose}.key`), purpose)).toMatchObject({ ok: true, pair: { publicKey } })
      }
      const data = join(folder, 'data')
      const identity = { network: network.epoch.network, replica: id }
      const opened = await openDataDirectory(data, { ...identity, listener: silent })
      await opened.close()
      // Of this network and this replica, and of no other.
      await expect(openDataDirectory(data, { ...identity, replica: 9, listener: silent })).rejects.toThrow()
    }
    const client = readKeyFile(made.clientKeyPath, 'client')
    expect(client).toMatchObject({ ok: true, pair: { publicKey: made.clientKey } })
    expect(readdirSync(parent)).toEqual(['net'])
    expect(statSync(dir).mode & 0o777).toBe(0o700)
  })

  it('has learners beside its voters, and parameters of its own', async () => {
    const parameters = { checkpoints: { intervalHeights: 7 } }
    const { network } = await createLocalNetwork({ ...plan, dir, learners: 1, parameters })
    expect(network.epoch.members.map(({ role }) => role)).toEqual(['voter', 'voter', 'voter', 'learner'])
    expect(network.epoch.parameters.checkpoints.intervalHeights).toBe(7)
    expect(readdirSync(replicaFolder(dir, 4))).toContain('data')
  })

  it('takes ports that are free, all of them different, and two for each replica', async () => {
    const { network } = await createLocalNetwork({ ...plan, dir, replicas: 5 })
    const ports = network.epoch.members.flatMap(({ addresses: [tcp, webSocket, ...rest] }) => {
      expect(rest).toEqual([])
      const patterns = [
        /^\/ip4\/127\.0\.0\.1\/tcp\/(\d+)$/.exec(tcp!),
        /^\/ip4\/127\.0\.0\.1\/tcp\/(\d+)\/ws$/.exec(webSocket!),
      ]
      return patterns.map((match) => Number(match![1]))
    })
    expect(new Set(ports).size).toBe(10)
  })

  it('takes the ports it is told, and writes an address of the sixth version as such', async () => {
    const { network } = await createLocalNetwork({
      ...plan,
      dir,
      host: '::1',
      port: 4001,
      protocol: 'hotstuff',
      replicas: 4,
    })
    expect(network.epoch.members.map((member) => member.addresses)).toEqual(
      [4001, 4003, 4005, 4007].map((port) => [`/ip6/::1/tcp/${port}`, `/ip6/::1/tcp/${port + 1}/ws`]),
    )
  })

  it('may take the place of an empty folder', async () => {
    mkdirSync(dir)
    await createLocalNetwork({ ...plan, dir, port: 4001 })
    expect(readdirSync(dir)).toContain('network.json')
    expect(readdirSync(parent)).toEqual(['net'])
  })

  it('is not made over anything', async () => {
    mkdirSync(dir)
    writeFileSync(join(dir, 'mine'), 'text')
    await expect(createLocalNetwork({ ...plan, dir })).rejects.toMatchObject({ code: 'ERR_FOLDER_NOT_EMPTY' })
    expect(readdirSync(dir)).toEqual(['mine'])
    const file = join(parent, 'file')
    writeFileSync(file, 'text')
    await expect(createLocalNetwork({ ...plan, dir: file })).rejects.toMatchObject({ code: 'ERR_FILE_NOT_WRITTEN' })
    expect(readFileSync(file, 'utf8')).toBe('text')
    await expect(createLocalNetwork({ ...plan, dir: '.' })).rejects.toMatchObject({ code: 'ERR_FOLDER_IN_USE' })
    expect(readdirSync(parent).sort()).toEqual(['file', 'net'])
  })

  it.each<[string, Partial<Parameters<typeof createLocalNetwork>[0]>, object]>([
    ['too few replicas', { replicas: 2 }, { code: 'ERR_NETWORK_TOO_FEW' }],
    ['a name that is none', { name: '' }, { code: 'ERR_NETWORK_FIELD' }],
    ['an address of another machine', { host: '192.0.2.1' }, { code: 'ERR_NO_PORTS' }],
    ['an interruption', { signal: AbortSignal.abort() }, { name: 'AbortError' }],
  ])('leaves nothing behind after %s', async (_name, changes, error) => {
    await expect(createLocalNetwork({ ...plan, dir, ...changes })).rejects.toMatchObject(error)
    expect(readdirSync(parent)).toEqual([])
  })

  it('leaves nothing behind when it is interrupted at any time', async () => {
    for (let turns = 1; ; turns++) {
      const signal = abortingAfter(turns)
      try {
        await createLocalNetwork({ ...plan, dir, port: 4001, signal })
        expect(turns).toBeGreaterThan(9)
        return
      } catch (error) {
        expect(error).toBe('interrupted')
        expect(readdirSync(parent)).toEqual([])
      }
    }
  })
})

describe('free ports', () => {
  it('are none that somebody uses', async () => {
    const used = await Promise.all([1, 2, 3].map(() => listen()))
    const taken = used.map((server) => (server.address() as { port: number }).port)
    const ports = await freePorts('127.0.0.1', 64)
    expect(new Set([...ports, ...taken]).size).toBe(67)
    for (const server of used) server.close()
  })

  it('are none that the system gives to whoever connects, and none twice', async () => {
    const ports = [...(await freePorts('127.0.0.1', 40)), ...(await freePorts('127.0.0.1', 40))]
    expect(new Set(ports).size).toBe(80)
    for (const port of ports) expect(port >= firstPort && port <= lastPort && port < 32_768).toBe(true)
  })

  it('are found beside those that are used, wherever it begins', async () => {
    const [before] = await freePorts('127.0.0.1', 1)
    const tried = await Promise.allSettled([1, 2, 3].map((ahead) => listen(Math.min(before! + ahead, lastPort))))
    const used = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const ports = await freePorts('127.0.0.1', 8)
    for (const server of used) expect(ports).not.toContain((server.address() as { port: number }).port)
    for (const server of used) server.close()
  })

  it('can be used afterwards', async () => {
    const [port] = await freePorts('127.0.0.1', 1)
    const server = await listen(port)
    expect(server.listening).toBe(true)
    server.close()
  })
})

/** A signal that aborts when it is asked for the so-manieth time. */
function abortingAfter(turns: number): AbortSignal {
  const controller = new AbortController()
  const { signal } = controller
  let asked = 0
  return {
    throwIfAborted: () => {
      if (++asked === turns) controller.abort('interrupted')
      signal.throwIfAborted()
    },
  } as AbortSignal
}

function listen(port = 0): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
