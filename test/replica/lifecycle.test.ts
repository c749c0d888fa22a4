// A replica as the application that embeds it sees it begin, fail and end: nothing stays open, and the process lives on.

import { existsSync } from 'node:fs'
import { createServer } from 'node:net'

import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clientLimitsDefault } from '../../src/client/core/client-core.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import { leadersTakeTurns } from '../../src/kernel/ids.ts'
import { createReplica } from '../../src/replica/create-replica.ts'
import { faultyDisk, get, put, testReplicas, type StoreReplica, type TestReplicas } from './replicas.ts'
import { networks } from '../networks.ts'

let replicas: TestReplicas
const unhandled: unknown[] = []
const note = (error: unknown): void => void unhandled.push(error)

beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
})

afterEach(async () => {
  await replicas.close()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

/** Its lock and its ports are free again: the same replica starts. */
async function startsAgain(): Promise<StoreReplica> {
  const again = replicas.make(1)
  await again.start()
  return again
}

/** All but the first: a quorum. */
async function startOthers(changes: Parameters<TestReplicas['make']>[1] = {}): Promise<StoreReplica[]> {
  const [, ...members] = replicas.network.epoch.members
  const others = members.map(({ id }) => replicas.make(id, changes))
  await Promise.all(others.map((one) => one.start()))
  return others
}

function openOf(replicaDir: string, signal?: AbortSignal) {
  return createReplica({
    network: join(replicas.dir, 'network.json'),
    identity: replicaDir,
    dataDir: replicas.dataDir(1),
    stateMachine: keyValueStore,
    ...(signal === undefined ? {} : { signal }),
  })
}

// What is looked at here is the host's: of the protocols that survive lies, one will do.
const hosted = networks.filter(({ protocol }) => protocol !== 'pbft')

describe.each(hosted)('under $protocol', ({ protocol, replicas: count }) => {
  beforeEach(async () => {
    replicas = await testReplicas(count, {}, protocol)
  })

  describe('a start that fails', () => {
    it('names the lock that another holds, and the port that is taken, and leaves nothing open', async () => {
      const first = await startsAgain()
      await expect(replicas.make(1).start()).rejects.toMatchObject({ code: 'ERR_DIRECTORY_LOCKED' })
      await first.close()

      const port = Number(/tcp\/(\d+)/.exec(first.id === 1 ? replicas.network.epoch.members[0]!.addresses[0]! : '')![1])
      const squatter = createServer().listen(port, '127.0.0.1')
      await new Promise((resolve) => squatter.once('listening', resolve))
      await expect(replicas.make(1).start()).rejects.toMatchObject({ code: 'ERR_LISTEN' })
      await new Promise((resolve) => squatter.close(resolve))
      await startsAgain()
    })

    it('refuses the identity of nobody', async () => {
      const other = await testReplicas(3)
      try {
        await expect(openOf(other.folder(1))).rejects.toMatchObject({ code: 'ERR_IDENTITY_NOT_MEMBER' })
      } finally {
        await other.close()
      }
      await startsAgain()
    })

    it('refuses a rate of transfers that is out of bounds, and takes one within', async () => {
      const options = {
        network: replicas.network,
        identity: replicas.folder(1),
        dataDir: replicas.dataDir(1),
        stateMachine: keyValueStore,
      }
      for (const rate of [0, 65_535, 65_536.5, Number.NaN, 1024 ** 3 + 1]) {
        await expect(createReplica({ ...options, transferBytesPerSecond: rate })).rejects.toThrow(
          `option transferBytesPerSecond is ${rate}: it must be a whole number from 65536 to 1073741824`,
        )
      }
      for (const [given, rate] of [
        [{}, 32 * 1024 ** 2] as const,
        [{ transferBytesPerSecond: 65_536 }, 65_536] as const,
      ]) {
        const replica = await createReplica({ ...options, ...given })
        expect(replica.status().checkpoints.servedBytesPerSecondMax).toBe(rate)
        await replica.close()
      }
    })

    it('is ended by its signal, and by close, at whatever step it is', async () => {
      const abort = new AbortController()
      const reason = new Error('enough')
      const opening = openOf(replicas.folder(1), abort.signal)
      setImmediate(() => abort.abort(reason))
      await expect(opening).rejects.toBe(reason)

      const replica = replicas.make(1)
      const starting = replica.start()
      const closing = replica.close()
      await expect(starting).rejects.toMatchObject({ code: 'ERR_CLOSED' })
      await closing
      await startsAgain()
    })
  })

  describe('close', () => {
    it('rejects what is under way once, refuses what comes later, and lets go of lock and port', async () => {
      const disk = faultyDisk()
      // Nothing is decided while it hangs for all.
      await startOthers({ openDirectory: disk.open })
      const replica = replicas.make(1, { openDirectory: disk.open })
      await replica.start()
      await replica.submit(put('first'))
      disk.hold(true)
      const underWay = replica.submit(put('second'))
      await new Promise((resolve) => setTimeout(resolve, 100))
      const waiting = replica.submit(put('third'))
      const reading = replica.query(get)
      const outcomes = Promise.allSettled([underWay, waiting, reading])
      const closing = replica.close()
      expect(replica.close()).toBe(closing)
      disk.hold(false)
      expect(await outcomes).toMatchObject([
        { status: 'rejected', reason: { code: 'ERR_CLOSED', certainty: 'indefinite' } },
        { status: 'rejected', reason: { code: 'ERR_CLOSED', certainty: 'definite' } },
        { status: 'rejected', reason: { code: 'ERR_CLOSED', certainty: 'definite' } },
      ])
      await closing
      await replica.closed
      await expect(replica.submit(put('later'))).rejects.toMatchObject({ code: 'ERR_CLOSED', certainty: 'definite' })
      await expect(replica.query(get)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
      expect(() => replica.status()).toThrow('closed')
      await startsAgain()
    })

    it('may be called by a listener in the middle of a step', async () => {
      await startOthers()
      const replica = replicas.make(1)
      replica.events.on('executed', () => void replica.close())
      await replica.start()
      await expect(replica.submit(put('one'))).rejects.toMatchObject({ code: 'ERR_CLOSED' })
      await replica.closed
      await startsAgain()
    })
  })

  describe('a replica that fails', () => {
    it('fails for good when a sync fails: its cause, its event, its calls, and nothing left open', async () => {
      await startOthers()
      const disk = faultyDisk()
      const replica = replicas.make(1, { openDirectory: disk.open })
      const failures: unknown[] = []
      replica.events.on('failed', ({ cause }) => void failures.push(cause))
      await replica.start()
      await replica.submit(put('first'))
      disk.syncError = { code: 'ERR_DISK_IO', message: 'the disk is broken' }
      await expect(replica.submit(put('second'))).rejects.toMatchObject({
        code: 'ERR_REPLICA_FAILED',
        certainty: 'indefinite',
      })
      await expect(replica.closed).rejects.toMatchObject({ code: 'ERR_DISK_IO' })
      expect(failures).toHaveLength(1)
      await expect(replica.submit(put('third'))).rejects.toMatchObject({
        code: 'ERR_REPLICA_FAILED',
        certainty: 'definite',
      })
      // Nobody has called close: it lets go by itself.
      await expect.poll(() => existsSync(join(replicas.dataDir(1), 'lock'))).toBe(false)
      expect(() => replica.status()).toThrow('failed for good')
      await replica.close()
      await startsAgain()
    })

    it('fails for good when the application throws', async () => {
      const stateMachine = {
        ...keyValueStore,
        create: () => {
          const machine = keyValueStore.create()
          return Object.assign(Object.create(machine) as typeof machine, {
            apply: () => {
              throw new Error('a bug of the application')
            },
            transactional: false,
          })
        },
      }
      await startOthers()
      const replica = replicas.make(1, { stateMachine })
      await replica.start()
      await expect(replica.submit(put('one'))).rejects.toMatchObject({
        code: 'ERR_REPLICA_FAILED',
        certainty: 'indefinite',
      })
      await expect(replica.closed).rejects.toThrow('a bug of the application')
    })
  })

  describe('a full disk', () => {
    it('is waited for: local reads go on, a probe that fails again is followed by another', async () => {
      await startOthers()
      const disk = faultyDisk()
      const replica = replicas.make(1, { openDirectory: disk.open })
      const changes: boolean[] = []
      replica.events.on('storage', ({ stalled }) => void changes.push(stalled))
      await replica.start()
      await replica.submit(put('first'))
      disk.writeError = { code: 'ERR_DISK_FULL', message: 'no room' }
      const waiting = replica.submit(put('second'))
      await expect.poll(() => replica.status().stalled).toBe(true)
      const { result } = await replica.query(get, { consistency: 'local' })
      expect(result.kind).toBe('value')
      // What cannot be had meanwhile ends at its deadline, and says whether it may have happened.
      await expect(replica.query(get, { deadlineMs: 300 })).rejects.toMatchObject({ code: 'ERR_DEADLINE' })
      await expect(replica.submit(put('third'), { deadlineMs: 300 })).rejects.toMatchObject({
        code: 'ERR_DEADLINE',
        certainty: expect.stringMatching(/^(in)?definite$/),
      })
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      expect(changes).toEqual([true])
      disk.writeError = null
      await waiting
      expect(changes).toEqual([true, false])
      expect(replica.status().stalled).toBe(false)
    })
  })

  describe('a listener that throws', () => {
    it('hurts nobody, now or later', async () => {
      await startOthers()
      const replica = replicas.make(1)
      replica.events.on('executed', () => {
        throw new Error('a bug of the listener')
      })
      replica.events.on('leader', async () => Promise.reject(new Error('a late bug of the listener')))
      await replica.start()
      await replica.submit(put('one'))
      expect(replica.status().leader).not.toBe(null)
    })
  })

  it('tells what it has sent, signed, verified and synced, and how late it is', async () => {
    await startOthers()
    const replica = replicas.make(1)
    await replica.start()
    await replica.submit(put('one'))
    const { work, log, eventLoopDelayP99Ms } = replica.status()
    expect(work.framesSent).toBeGreaterThan(0)
    const sentBytes = Object.values(work.sent).reduce((sum, { bytes }) => sum + bytes, 0)
    // Each frame has a head of its own, and so has each message in it.
    expect(work.bytesSent).toBeGreaterThan(sentBytes)
    expect(work.signatures.protocol.checked > 0).toBe(protocol !== 'raft')
    expect(log.syncs).toBeGreaterThanOrEqual(2 * log.groups)
    expect(eventLoopDelayP99Ms).toBeGreaterThanOrEqual(0)
    expect(eventLoopDelayP99Ms).toBeLessThan(60_000)
  })

  describe('one of a few', () => {
    it('says what it waits for when it is alone, and works when it is not', async () => {
      const first = replicas.make(1)
      await first.start()
      // Under hotstuff whose turn it is to lead is known to everybody alone.
      const alone = first.status().leader
      expect(alone).toBe(protocol === 'raft' ? null : 2)
      expect(first.status().phase).not.toBe('')
      // A primary with nothing to order waits for nobody.
      if (protocol === 'raft') expect(first.status().timers.length).toBeGreaterThan(0)
      await expect(first.submit(put('alone'), { deadlineMs: 200 })).rejects.toMatchObject({ code: 'ERR_DEADLINE' })
      const leaders: (number | null)[] = []
      first.events.on('leader', ({ leader }) => void leaders.push(leader))
      const others = await startOthers()
      await first.submit(put('together'))
      if (!leadersTakeTurns(protocol)) expect(leaders.at(-1) ?? alone).toBe(first.status().leader)
      // Each block has another, and that is no news.
      else expect(leaders).toEqual([])
      await first.close()
      expect((await others[0]!.query(get)).result.kind).toBe('value')
    })

    it('pushes back when too much waits, and says when to try again', async () => {
      const replica = replicas.make(1)
      await replica.start()
      const { operationsMax } = clientLimitsDefault
      const waiting = Array.from({ length: operationsMax }, async () => replica.submit(put('waits')))
      const outcomes = Promise.allSettled(waiting)
      const refused = replica.submit(put('too much'))
      await expect(refused).rejects.toMatchObject({ code: 'ERR_OVERLOADED', certainty: 'definite' })
      await expect(refused).rejects.toHaveProperty('retryAfterMs', expect.any(Number))
      expect(replica.status().submitting).toBe(operationsMax)
      await replica.close()
      const codes = (await outcomes).map((one) => (one.status === 'rejected' ? one.reason.code : 'resolved'))
      expect(new Set(codes)).toEqual(new Set(['ERR_CLOSED']))
    })

    it('listens at a port of the system, and says which', async () => {
      const replica = replicas.make(1, { listen: ['/ip4/127.0.0.1/tcp/0'] })
      await replica.start()
      expect(replica.addresses()[0]).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d*/)
    })
  })
})
