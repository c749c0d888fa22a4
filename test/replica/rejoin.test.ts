// Goal: a replica that has lost its log comes back without a vote, and one on an old copy of its directory is stopped by what the others
// have seen, however often they have started since. Method: real replicas in this process, on real folders.

import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { get, put, testReplicas, type StoreReplica, type TestReplicas } from './replicas.ts'
import { networks, whileOneIsAway, type TestNetwork } from '../networks.ts'

let replicas: TestReplicas
afterEach(() => replicas.close())

async function start(id: number, rejoin = false, changes: object = {}): Promise<StoreReplica> {
  const replica = replicas.make(id, { rejoin, ...changes })
  await replica.start()
  return replica
}

/** These, and those that a network needs beside the first three. */
function startAll(ids: readonly number[], changes: object = {}): Promise<StoreReplica[]> {
  const more = replicas.network.epoch.members.map(({ id }) => Number(id)).slice(3)
  return Promise.all([...ids, ...more].map((id) => start(id, false, changes)))
}

async function until(what: () => boolean): Promise<void> {
  await expect.poll(what, { interval: 20, timeout: 20_000 }).toBe(true)
}

function replicasOf({ protocol, replicas: count }: TestNetwork, parameters: object = {}): Promise<TestReplicas> {
  return testReplicas(count, { ...parameters, ...whileOneIsAway(protocol) }, protocol)
}

describe.each(networks)('under $protocol', (network) => {
  beforeEach(async () => {
    replicas = await replicasOf(network)
  })

  describe('a replica whose log is lost', () => {
    it('is refused, and with rejoin comes back, says that it has no vote, and follows what the others decide', async () => {
      const [one, two, three] = (await startAll([1, 2, 3])) as [StoreReplica, StoreReplica, StoreReplica]
      await one.submit(put('before'))
      expect(one.status()).toMatchObject({ voice: 'votes', rejoined: null, warnings: [] })
      await three.close()
      rmSync(replicas.dataDir(3), { recursive: true })
      await expect(start(3)).rejects.toMatchObject({ code: 'ERR_DATA_DIRECTORY_MISSING' })
      const again = await start(3, true)
      expect(again.status()).toMatchObject({
        voice: 'abstains',
        rejoined: expect.stringMatching(/^rejoined without a vote/),
        warnings: [expect.stringMatching(/^follows without a vote, because it has lost promises/)],
      })
      // Peers have seen incarnation 1 of it: what it has now is newer.
      await two.submit(put('after'))
      const { height } = await two.query(get)
      await until(() => again.status().executedHeight >= height)
      await again.close()
      const later = await start(3)
      expect(later.status()).toMatchObject({ voice: 'abstains', rejoined: null })
    }, 60_000)
  })
})

// What the host does is the same under any protocol, and hotstuff waits for whoever is away longer than the others.
describe.each(networks.filter(({ protocol }) => protocol !== 'hotstuff'))('under $protocol', (network) => {
  beforeEach(async () => {
    replicas = await replicasOf(network)
  })

  describe('a replica whose log is lost', () => {
    it('keeps its snapshots, and goes on from there, also where the others have cut their logs', async () => {
      await replicas.close()
      replicas = await replicasOf(network, { checkpoints: { intervalHeights: 4 } })
      const often = { snapshotPolicy: { logBytesMin: 1, writtenPercentMin: 1, sliceBytesMax: 1 << 20 } }
      const [one, two, three] = await startAll([1, 2, 3], often)
      const write = async (count: number): Promise<void> => {
        for (let number = 0; number < count; number++) await one!.submit(put(`value ${number}`))
      }
      await write(20)
      const snapshots = join(replicas.dataDir(3), 'snapshots')
      await until(() => readdirSync(snapshots).some((name) => name.startsWith('checkpoint-')))
      await three!.close()
      rmSync(join(replicas.dataDir(3), 'log'), { recursive: true })
      await write(20)
      await two!.close()
      // It follows, and its word is not counted: without another voter nothing is decided.
      const again = await start(3, true, often)
      expect(again.status().voice).toBe('abstains')
      // Before it has heard anything.
      expect(again.status().executedHeight).toBeGreaterThan(0)
      await expect(one!.submit(put('alone'), { deadlineMs: 1_500 })).rejects.toMatchObject({ code: 'ERR_DEADLINE' })
      const back = await start(2, false, often)
      await write(20)
      await until(() => again.status().executedHeight >= back.status().executedHeight - 1)
    }, 60_000)

    it('whose log is sound keeps it, and its vote', async () => {
      const replica = await start(1, true)
      expect(replica.status()).toMatchObject({
        voice: 'votes',
        rejoined: expect.stringMatching(/nothing was changed/),
        warnings: [],
      })
    })
  })

  describe('a replica on an old copy of its directory', () => {
    it('is stopped by what one member has seen, also if that one has started again since; and stays stopped until it rejoins', async () => {
      const data = replicas.dataDir(3)
      await (await start(3)).close()
      cpSync(data, `${data}-copy`, { recursive: true })
      const all = await startAll([1, 2, 3])
      await all[0]!.submit(put('seen by all'))
      await until(() => all[0]!.status().peers.every(({ connected }) => connected))
      await until(() => all[1]!.status().peers.every(({ connected }) => connected))
      await Promise.all(all.map((one) => one.close()))
      rmSync(data, { recursive: true })
      cpSync(`${data}-copy`, data, { recursive: true })

      const others = await startAll([1, 2])
      const copy = replicas.make(3)
      const said: { by: number; message: string }[] = []
      copy.events.on('refused', ({ by, message }) => said.push({ by, message }))
      await copy.start()
      await expect(copy.closed).rejects.toMatchObject({ code: 'ERR_LOG_OUTDATED' })
      await copy.close()
      expect(said[0]!.message).toMatch(
        /^this replica is refused by replica [124], which has seen another process with its incarnation 2: .*start with --rejoin$/,
      )
      expect(
        others.flatMap((one) => one.status().peers).filter((peer) => peer.replica === 3 && peer.connected),
      ).toEqual([])

      // Its next start would have a number that nobody has seen.
      await expect(start(3)).rejects.toMatchObject({ code: 'ERR_LOG_OUTDATED' })
      const again = await start(3, true)
      expect(again.status()).toMatchObject({ voice: 'abstains', rejoined: expect.stringContaining('log.set-aside-1') })
      expect(readdirSync(data)).toContain('log.set-aside-1')
      await until(() => again.status().peers.every(({ connected, refuses }) => connected && refuses === null))
      expect(readdirSync(join(data, 'log.set-aside-1')).sort()).toEqual(['identity', 'log-0000000001', 'synced'])
    }, 60_000)
  })
})
