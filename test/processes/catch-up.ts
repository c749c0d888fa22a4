// A replica that was away comes back under load: by the log, by a snapshot, and by a snapshot while the leader is killed. What that
// costs the others is measured beside it: operations a second before, while it catches up, and after.

import { createClient } from '../../src/client/node.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import { leadersTakeTurns } from '../../src/kernel/ids.ts'
import { whileOneIsAway, type TestNetwork } from '../networks.ts'
import { Cluster } from './cluster.ts'
import { judge, Load, type StoreClient } from './load.ts'

export const ways = ['log', 'snapshot', 'snapshot-while-the-leader-changes'] as const
export type Way = (typeof ways)[number]

export interface CatchUpOptions extends TestNetwork {
  way: Way
  /** Written before the replica goes away: what a snapshot of the state weighs. */
  stateBytes: number
  /** Written while it is away: what its log lacks. */
  missedBytes: number
  /** How long operations are counted before it comes back, and after. */
  measuredMs: number
}

export interface CatchUpReport {
  way: Way
  /** From the start of its process until it had executed what the others had executed then. */
  caughtUpAfterMs: number
  /** Height of the snapshot that it took over; 0: it came by the log. */
  restoredHeight: number
  operationsPerSecond: { before: number; meanwhile: number; after: number }
  /** Share of the throughput that was lost while it caught up. */
  loss: number
  completed: number
  unknown: number
  verdict: string | null
}

interface Status {
  replica: number
  leader: number | null
  executedHeight: number
  checkpoints: { stableHeight: number; restoredHeight: number; transfer: object | null }
}

/** Service is back, and what is awaited has come, within this time. */
const patienceMs = 60_000
const valueBytes = 16 * 1024

export async function catchUp(options: CatchUpOptions): Promise<CatchUpReport> {
  const { way, stateBytes, missedBytes, measuredMs, ...network } = options
  const cluster = await Cluster.create(withoutLongWaits(network))
  const load = new Load({
    network: cluster.local.network,
    secretKeys: [cluster.clientKey(), cluster.clientKey()],
    loopsPerClient: 4,
    keys: 40,
    seed: `catch up ${way}`,
    pauseMs: 2,
    operationsMax: 400_000,
    deadlineMs: 20_000,
  })
  try {
    cluster.startAll()
    load.start()
    await load.served(patienceMs)
    const client = load.clients[0]!
    await write(client, 'state', stateBytes)
    const away = await somebodyBut(await leaderOf(client, cluster), cluster)
    await cluster.kill(away)
    const leftAt = (await statusesOf(client, cluster)).map((one) => one.executedHeight)
    if (way === 'log') await write(client, 'missed', missedBytes)
    else await writeUntilCut(client, cluster, missedBytes, Math.max(...leftAt))
    const before = await rate(load, measuredMs)
    const target = Math.max(...(await statusesOf(client, cluster)).map((one) => one.executedHeight))
    const startedMs = performance.now()
    const completedBefore = load.completed
    cluster.start(away)
    if (way === 'snapshot-while-the-leader-changes') await killTheLeaderMeanwhile(client, cluster, away)
    const back = await caughtUp(cluster, away, target)
    const caughtUpAfterMs = Math.round(performance.now() - startedMs)
    const meanwhile = Math.round(((load.completed - completedBefore) * 1000) / caughtUpAfterMs)
    const after = await rate(load, measuredMs)
    await load.stop()
    return {
      way,
      caughtUpAfterMs,
      restoredHeight: back.checkpoints.restoredHeight,
      operationsPerSecond: { before, meanwhile, after },
      loss: Math.round((1 - (2 * meanwhile) / (before + after)) * 100) / 100,
      completed: load.completed,
      unknown: load.unknown,
      verdict: judge(load.recorder.history()),
    }
  } catch (error) {
    process.stderr.write(`${cluster.said.slice(-60).join('\n')}\n`)
    throw error
  } finally {
    await load.stop().catch(() => {})
    await cluster.remove()
  }
}

/** While one is away whose turns come, blocks come by twos and threes, with its timeouts between them: and two checkpoints have to come. */
function withoutLongWaits(network: TestNetwork): TestNetwork {
  const { protocol, parameters } = network
  if (!leadersTakeTurns(protocol)) return network
  const seldom = { ...whileOneIsAway(protocol), checkpoints: { intervalHeights: 16 } }
  return { ...network, parameters: { ...parameters, ...seldom } }
}

/** Keys of their own, beside those that the load checks. */
async function write(client: StoreClient, prefix: string, bytes: number): Promise<void> {
  const count = Math.ceil(bytes / valueBytes)
  const outstanding = 32
  const loop = async (first: number): Promise<void> => {
    for (let index = first; index < count; index += outstanding) {
      const value = new Uint8Array(valueBytes)
      new DataView(value.buffer).setUint32(0, index)
      await client.submit({ kind: 'put', key: new TextEncoder().encode(`${prefix}-${index}`), value, lease: 0 })
    }
  }
  await Promise.all(Array.from({ length: outstanding }, (_, first) => loop(first)))
}

/** Until two snapshots are stable above where the one that is away stood: the log below the first is cut by then. */
async function writeUntilCut(client: StoreClient, cluster: Cluster, bytes: number, leftAt: number): Promise<void> {
  const untilMs = performance.now() + patienceMs
  const stable = new Set<number>()
  for (let part = 0; performance.now() < untilMs; part++) {
    await write(client, `missed-${part % 4}`, bytes)
    const statuses = await statusesOf(client, cluster)
    const lowest = Math.min(...statuses.map((one) => one.checkpoints.stableHeight))
    if (lowest > leftAt) stable.add(lowest)
    if (stable.size >= 2) return
  }
  throw new Error('no snapshot became stable')
}

/** Asked by clients of their own: one that has lost a connection takes its time to try again. */
async function askedAnew(cluster: Cluster, id: number, look: (status: Status) => boolean): Promise<Status> {
  return until(async () => {
    const key = { secretKey: cluster.clientKey() }
    const client = createClient({ network: cluster.local.network, key, stateMachine: keyValueStore })
    try {
      for (let asked = 0; asked < 20; asked++) {
        const status = client.connected().includes(id as never) ? await statusOf(client, id) : null
        if (status !== null && look(status)) return status
        await sleep(25)
      }
      return null
    } finally {
      await client.close()
    }
  })
}

function caughtUp(cluster: Cluster, id: number, target: number): Promise<Status> {
  return askedAnew(cluster, id, (status) => status.executedHeight >= target)
}

async function killTheLeaderMeanwhile(client: StoreClient, cluster: Cluster, away: number): Promise<void> {
  await askedAnew(cluster, away, ({ checkpoints }) => checkpoints.transfer !== null || checkpoints.restoredHeight > 0)
  const leader = await leaderOf(client, cluster, away)
  await cluster.kill(leader)
  await sleep(500)
  cluster.start(leader)
}

async function rate(load: Load, ms: number): Promise<number> {
  const before = load.completed
  await sleep(ms)
  return Math.round(((load.completed - before) * 1000) / ms)
}

/** `behind`: who does not lead for good, and only has its turn. */
async function leaderOf(client: StoreClient, cluster: Cluster, behind: number | null = null): Promise<number> {
  return until(async () => {
    const named = (await statusesOf(client, cluster)).map((one) => one.leader)
    const leaders = named.filter((leader) => leader !== behind)
    const agreed = leaders.find((leader) => leader !== null && leaders.filter((one) => one === leader).length >= 2)
    return agreed !== undefined && agreed !== null && cluster.running.includes(agreed) ? agreed : null
  })
}

async function somebodyBut(leader: number, cluster: Cluster): Promise<number> {
  return cluster.ids.find((id) => id !== leader)!
}

async function statusesOf(client: StoreClient, cluster: Cluster): Promise<Status[]> {
  const statuses = await Promise.all(cluster.running.map((id) => statusOf(client, id)))
  return statuses.flatMap((status) => (status === null ? [] : [status]))
}

async function statusOf(client: StoreClient, id: number): Promise<Status | null> {
  const report = await client.status(id as never, { deadlineMs: 2_000 })
  return report === null ? null : (JSON.parse(report) as Status)
}

async function until<Value>(look: () => Promise<Value | null>): Promise<Value> {
  const untilMs = performance.now() + patienceMs
  while (performance.now() < untilMs) {
    const found = await look()
    if (found !== null) return found
    await sleep(20)
  }
  throw new Error(`not within ${patienceMs} ms`)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
