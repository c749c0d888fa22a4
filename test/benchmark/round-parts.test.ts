// The parts of a round that need no replicas: where its folder lies, what goes wrong on purpose, what was counted, what etcd tells.

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { countedBetween } from '../../src/benchmark/counted.ts'
import { armFailure } from '../../src/benchmark/failures.ts'
import { sleepingLiar } from '../../src/benchmark/lies/sleeping-liar.ts'
import { warmUp } from '../../src/benchmark/measure-point.ts'
import { readRound } from '../../src/benchmark/read-round.ts'
import type { Point } from '../../src/benchmark/round.ts'
import { requireFolder } from '../../src/benchmark/round-folder.ts'
import type { Counters, RunningSystem, SystemClient } from '../../src/benchmark/system.ts'
import { checkPerf, hasCheckPerf, verdictOf } from '../../src/benchmark/systems/etcd/check-perf.ts'
import { parseMetrics } from '../../src/benchmark/systems/etcd/metrics.ts'
import { systemNamed } from '../../src/benchmark/systems/table.ts'
import { portableEd25519 } from '../../src/crypto/portable/ed25519-suite.ts'
import { projectRoot } from '../architecture/sources.ts'
import { epochOf } from '../simulator/epochs.ts'
import { VirtualClock } from './virtual-clock.ts'

describe('the folder of a round', () => {
  it('lies in memory where nothing waits for a disk, and on a disk where something does', () => {
    requireFolder({ dir: '/dev/shm', fsync: false })
    requireFolder({ dir: projectRoot, fsync: true })
    expect(() => requireFolder({ dir: '/dev/shm', fsync: true })).toThrow('name a folder on a disk')
    expect(() => requireFolder({ dir: projectRoot, fsync: false })).toThrow('name a folder in memory')
  })
})

describe('what goes wrong on purpose', () => {
  const children: ChildProcess[] = []
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  function runningOf(leader: number | null, lie = (): void => {}): RunningSystem {
    for (let process = 0; process < 3; process++) children.push(spawn('sleep', ['60']))
    const processes = children.map(({ pid }, index) => ({ name: `replica-${index}`, pid: pid! }))
    return { processes, leader: () => Promise.resolve(leader), lie } as unknown as RunningSystem
  }

  const passed = (clock: VirtualClock, milliseconds: number): Promise<void> =>
    clock.until(new Promise<void>((resolve) => clock.after(milliseconds, resolve)))

  function isStopped({ pid }: ChildProcess): boolean {
    return /^.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  }

  it('is the death of whoever leads, at a third of the time', async () => {
    const clock = new VirtualClock()
    armFailure('leader-killed', 3, runningOf(1), clock)
    const signal = new Promise((resolve) => children[1]!.once('exit', (_, name) => resolve(name)))
    await passed(clock, 999)
    expect(children.map(({ signalCode }) => signalCode)).toEqual([null, null, null])
    await passed(clock, 2)
    expect(await signal).toBe('SIGKILL')
  })

  it('is one who does not lead and is stopped for nine tenths of the time, until the point is over', async () => {
    const clock = new VirtualClock()
    const end = armFailure('slow-replica', 3, runningOf(2), clock)
    const follower = children[0]!
    await passed(clock, 1_005)
    for (let step = 0; step < 20; step++) {
      await expect.poll(() => isStopped(follower), { timeout: 10_000 }).toBe(step % 10 < 9)
      await passed(clock, 10)
    }
    end()
    await expect.poll(() => isStopped(follower), { timeout: 10_000 }).toBe(false)
    await passed(clock, 200)
    expect(children.map(isStopped)).toEqual([false, false, false])
  })

  it('is a lie, where leaders take turns too', async () => {
    const clock = new VirtualClock()
    let lies = 0
    armFailure(
      'lying-replica',
      3,
      runningOf(null, () => lies++),
      clock,
    )
    await passed(clock, 1_001)
    expect(lies).toBe(1)
  })

  it('does not happen once the point is over', async () => {
    const clock = new VirtualClock()
    armFailure('slow-replica', 3, runningOf(0), clock)()
    await passed(clock, 1_100)
    expect(children.map(isStopped)).toEqual([false, false, false])
  })

  it('does not happen where the point was over before anybody knew who leads', async () => {
    const clock = new VirtualClock()
    let tell = (_leader: number): void => {}
    const leader = new Promise<number>((resolve) => (tell = resolve))
    const end = armFailure('leader-killed', 3, { ...runningOf(null), leader: () => leader }, clock)
    await passed(clock, 1_001)
    end()
    tell(1)
    await passed(clock, 1)
    // Whoever is killed is gone a moment later.
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(children.map(({ signalCode }) => signalCode)).toEqual([null, null, null])
  })
})

describe('the warm-up of a start', () => {
  it('loads with operations of the first point, one kind and one number under way after another', async () => {
    const asked: string[] = []
    const sizes = new Set<number>()
    let [underWay, most] = [0, 0]
    const operate = async (kind: string): Promise<void> => {
      most = Math.max(most, ++underWay)
      asked.push(`${kind} of ${underWay === 1 ? 'one' : 'many'}`)
      await new Promise((resolve) => setTimeout(resolve, 1))
      underWay--
    }
    const client: SystemClient = {
      put: (_key, value) => {
        sizes.add(value.length)
        return operate('put')
      },
      get: () => operate('get'),
      close: () => Promise.resolve(),
    }
    const point: Point = {
      kind: 'put',
      load: { loop: 'closed', outstanding: 16 },
      operationBytes: 77,
      clients: 1,
      warmUpSeconds: 60,
      seconds: 60,
    }
    await warmUp({ clients: [client], point, seed: 1 }, [
      { kind: 'put', outstanding: 8, seconds: 0.02 },
      { kind: 'get', outstanding: 1, seconds: 0.02 },
    ])
    expect([...sizes]).toEqual([77])
    expect(underWay).toBe(0)
    expect(asked[0]).toBe('put of one')
    expect(asked.slice(0, 8).filter((one) => one === 'put of many')).toHaveLength(7)
    expect(new Set(asked.slice(asked.indexOf('get of one')))).toEqual(new Set(['get of one']))
    // What is read was put before, 64 at a time.
    expect(most).toBe(64)
  })
})

describe('a liar', () => {
  it('sends what a correct replica would until it is woken', () => {
    const epoch = epochOf('pbft', 4)
    const [self] = epoch.members
    const signer = portableEd25519.signer(new Uint8Array(32).fill(1))
    const { outgoing, wake } = sleepingLiar({ epoch, self: self!, signer, behaviour: 'malformed-bytes', seed: '1' })
    const bytes = new Uint8Array(100)
    const lies = (): number =>
      Array.from({ length: 100 }, () => outgoing.frame(bytes, self!.id)).filter(([frame]) => frame !== bytes).length
    expect(lies()).toBe(0)
    wake()
    expect(lies()).toBeGreaterThan(0)
  })
})

describe('what a round was told', () => {
  const point = { kind: 'put' }
  const textOf = (points: readonly object[]): string => JSON.stringify({ setup: { dir: '/tmp' }, points })

  it.each(['{', '{"system":"raft","setup":{"dir":"/nowhere"}}', '{"points":[]}', undefined])(
    'is refused in a sentence where it is none: %s',
    (text) => expect(() => readRound(text)).toThrow('no round as JSON'),
  )

  it.each(['leader-killed', 'lying-replica'])('has nothing behind what lasts: %s', (failure) => {
    expect(() => readRound(textOf([point, { ...point, failure }, point]))).toThrow('point 2 of 3')
    expect(readRound(textOf([point, { ...point, failure }])).points).toHaveLength(2)
    expect(readRound(textOf([{ ...point, failure: 'slow-replica' }, point])).points).toHaveLength(2)
  })
})

describe('what was counted', () => {
  const none: Counters = {
    fsyncs: 5,
    framesSent: null,
    bytesSent: 100,
    messagesSent: { vote: 3 },
    signaturesMade: 0,
    signaturesChecked: 7,
    eventLoopDelayP99Ms: 9,
  }

  it('is the difference, by replica, and unknown where one did not tell', () => {
    const after = { ...none, fsyncs: 9, messagesSent: { vote: 3, commit: 2 }, eventLoopDelayP99Ms: 4 }
    expect(countedBetween([none, null, none], [after, after, null])).toEqual([
      {
        fsyncs: 4,
        framesSent: null,
        bytesSent: 0,
        messagesSent: { commit: 2 },
        signaturesMade: 0,
        signaturesChecked: 0,
        eventLoopDelayP99Ms: 4,
      },
      null,
      null,
    ])
  })

  it('is unknown where it was not told at first, and all of it where it had no name yet', () => {
    const before = { ...none, signaturesMade: null, messagesSent: null }
    const [counted] = countedBetween([before], [{ ...none, signaturesMade: 5 }])
    expect(counted).toMatchObject({ signaturesMade: null, messagesSent: { vote: 3 } })
  })
})

describe('etcd', () => {
  it('tells what it counts, of all peers together', () => {
    const metrics = parseMetrics(
      '# HELP sent bytes\netcd_sent_total{To="a"} 1.5e+03\netcd_sent_total{To="b"} 20\nis_leader 1\nbroken\n',
    )
    expect([metrics('etcd_sent_total'), metrics('is_leader'), metrics('other')]).toEqual([1520, 1, 0])
  })

  it("is judged by its own tool, in the tool's words", async () => {
    const bar = ' 59 / 60 Boooooooo   98.33% 1s\r'
    expect(
      verdictOf({
        stdout: `${bar}PASS: Throughput is 150 writes/s\nFAIL: Slowest request took too long: 0.5s\nFAIL\n`,
      }),
    ).toBe('PASS: Throughput is 150 writes/s\nFAIL: Slowest request took too long: 0.5s\nFAIL')
    expect(verdictOf({ stdout: 'PASS: a\n'.repeat(100) + `PASS: ${'x'.repeat(500)}` }).length).toBeLessThan(1000)
    expect(verdictOf({ stdout: `PASS: ${'x'.repeat(500)}` })).toHaveLength(120)
    expect(() => verdictOf({ stdout: bar, stderr: 'a\nError: deadline exceeded\n' })).toThrow(
      /judged the cluster: Error: deadline/,
    )
    expect(() => verdictOf({ message: 'spawn etcdctl ENOENT' })).toThrow('spawn etcdctl ENOENT')
    expect(() => verdictOf({})).toThrow('it said nothing')
  })

  it('is judged at all of its members, whether the tool ends well or not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-etcdctl-'))
    const { PATH } = process.env
    try {
      const program = `#!${process.execPath}\nconsole.log('FAIL: ' + process.env.ETCDCTL_API + ' ' + process.argv.slice(2).join(' ')); process.exit(4)`
      writeFileSync(join(folder, 'etcdctl'), program, { mode: 0o755 })
      process.env['PATH'] = folder
      expect(await checkPerf([1, 2])).toBe('FAIL: 3 --endpoints=127.0.0.1:1,127.0.0.1:2 check perf --load=s')
      expect(await hasCheckPerf()).toBe(false)
      writeFileSync(join(folder, 'etcdctl'), `#!${process.execPath}\n`)
      expect(await hasCheckPerf()).toBe(true)
      process.env['PATH'] = '/nowhere'
      expect(await hasCheckPerf()).toBe(false)
    } finally {
      process.env['PATH'] = PATH
      rmSync(folder, { recursive: true })
    }
  })

  it('that is missing says which package has it', async () => {
    const path = process.env['PATH']
    process.env['PATH'] = '/nowhere'
    try {
      await expect(systemNamed('etcd').version()).rejects.toMatchObject({
        code: 'ERR_SYSTEM_MISSING',
        message: expect.stringContaining('apt-get install etcd-server') as string,
      })
    } finally {
      process.env['PATH'] = path
    }
  })
})
