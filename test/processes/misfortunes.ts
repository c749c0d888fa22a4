// Rounds of misfortune for a real network under load. Its leader is killed and started again, stopped for a while, or cut off from the
// others; or one replica, the same in all rounds, lies. After each, how long it took until something new was answered.

import { leadersTakeTurns } from '../../src/kernel/ids.ts'
import { createRandom, type Random } from '../../src/kernel/random.ts'
import type { TestNetwork } from '../networks.ts'
import { Cluster } from './cluster.ts'
import { lieNames } from '../../src/benchmark/lies/lies.ts'
import { judge, Load } from './load.ts'

export const faultNames = ['kill', 'pause', 'partition', 'liar'] as const
export type FaultName = (typeof faultNames)[number]

export interface RoundsOptions extends TestNetwork {
  /** In turn, round by round. */
  faults: readonly FaultName[]
  rounds: number
  seed: string
  onRound?: (round: RoundReport) => void
}

export interface RoundReport {
  round: number
  fault: FaultName
  /** Whom it hit: the leader, or the liar. */
  replica: number
  /** Which lie or cut. */
  how: string
  servedAfterMs: number
}

export interface RoundsReport {
  rounds: RoundReport[]
  completed: number
  unknown: number
  /** What operations that failed were told. */
  problems: readonly string[]
  /** Null, or why the history is none of a correct network. */
  verdict: string | null
  heights: number[]
}

/** Service is back within this time, or the round fails: ten election timeouts at their default of 1 to 2 s, and a busy machine. */
export const servedAfterMsMax = 20_000
/** Whoever was away is back within this time: its process has to start, and its links, on a busy machine. */
const backAfterMsMax = 60_000
/** How long a leader stays stopped or cut off, and how long a liar lies. */
const faultMs = 3_000

export async function misfortunes(options: RoundsOptions): Promise<RoundsReport> {
  const { protocol, replicas, parameters, faults, rounds, seed, onRound } = options
  const random = createRandom(`kills ${seed}`)
  const wired = faults.some((fault) => fault === 'partition' || fault === 'liar')
  const cluster = await Cluster.create({ protocol, replicas, wired, ...(parameters && { parameters }) })
  const load = new Load({
    network: cluster.local.network,
    secretKeys: [cluster.clientKey(), cluster.clientKey(), cluster.clientKey()],
    loopsPerClient: 4,
    keys: 40,
    seed: `load ${seed}`,
    pauseMs: 10,
    operationsMax: 200_000,
    deadlineMs: servedAfterMsMax,
  })
  const report: RoundsReport = {
    rounds: [],
    completed: 0,
    unknown: 0,
    problems: load.problems,
    verdict: null,
    heights: [],
  }
  try {
    cluster.startAll()
    load.start()
    await load.served(backAfterMsMax)
    const scene: Scene = {
      cluster,
      load,
      random,
      liar: random.pick(cluster.ids),
      lies: drawLies(random, lieNames(protocol)),
      lie: 0,
      leading: random.below(2),
    }
    for (let round = 1; round <= rounds; round++) {
      const fault = faults[(round - 1) % faults.length]!
      const one: RoundReport = { round, fault, ...(await happenings[fault](scene)) }
      await sleep(500 + random.below(500))
      report.rounds.push(one)
      onRound?.(one)
    }
    report.heights = await settle(load, cluster)
    await load.stop()
    report.completed = load.completed
    report.unknown = load.unknown
    report.verdict = judge(load.recorder.history())
    return report
  } catch (error) {
    process.stderr.write(`${cluster.said.slice(-1500).join('\n')}\n`)
    throw error
  } finally {
    for (const id of cluster.running) cluster.signal(id, 'SIGCONT')
    await load.abandon()
    await cluster.remove()
  }
}

interface Scene {
  readonly cluster: Cluster
  readonly load: Load
  readonly random: Random
  /** Who lies, if anybody does: one of more would be too many. */
  readonly liar: number
  readonly lies: readonly string[]
  /** Which of them is next. */
  lie: number
  /** Every other one is told as primary: the even or the odd. */
  readonly leading: number
}

/** From any of them on. Whoever has claimed a huge view is heard in no lower one any more, and never leads again: that comes last. */
function drawLies(random: Random, lies: readonly string[]): string[] {
  const others = lies.filter((name) => name !== 'huge-views')
  const last = lies.filter((name) => !others.includes(name))
  const first = random.below(Math.max(1, others.length))
  return [...others.slice(first), ...others.slice(0, first), ...last]
}

type Happened = Pick<RoundReport, 'replica' | 'how' | 'servedAfterMs'>

/** What happens in a round of each kind, and that it is over when it ends. */
const happenings: Record<FaultName, (scene: Scene) => Promise<Happened>> = {
  kill: async ({ cluster, load, random }) => {
    const replica = await leaderOf(load, cluster, random)
    await cluster.kill(replica)
    const servedAfterMs = Math.round(await load.served(servedAfterMsMax))
    await sleep(random.below(500))
    cluster.start(replica)
    return { replica, how: 'SIGKILL', servedAfterMs }
  },
  pause: async ({ cluster, load, random }) => {
    const replica = await leaderOf(load, cluster, random)
    cluster.signal(replica, 'SIGSTOP')
    const servedAfterMs = Math.round(await load.served(servedAfterMsMax))
    await sleep(Math.max(0, faultMs - servedAfterMs))
    cluster.signal(replica, 'SIGCONT')
    return { replica, how: 'SIGSTOP', servedAfterMs }
  },
  partition: async ({ cluster, load, random }) => {
    const replica = await leaderOf(load, cluster, random)
    const how = random.pick(['silent', 'reset'] as const)
    cluster.wires!.cut([replica], how)
    const servedAfterMs = Math.round(await servedAgain(load))
    await sleep(Math.max(0, faultMs - servedAfterMs))
    cluster.wires!.mend()
    return { replica, how, servedAfterMs }
  },
  liar: async (scene) => {
    const { cluster, load, liar } = scene
    const lie = scene.lies[scene.lie % scene.lies.length]!
    await startReady(liar, cluster, lie)
    await load.served(servedAfterMsMax)
    const leads = scene.lie++ % 2 === scene.leading && (await letLead(liar, scene))
    cluster.signal(liar, 'SIGUSR2')
    const servedAfterMs = Math.round(await servedAgain(load))
    await sleep(Math.max(0, faultMs - servedAfterMs))
    const later = Math.round(await load.served(servedAfterMsMax))
    // It may come to harm by its own lies.
    const end = cluster.isReady(liar) ? '' : ', ended by it'
    await startReady(liar, cluster)
    const how = `${lie}${leads ? ', leading' : ''}${end}`
    return { replica: liar, how, servedAfterMs: Math.max(servedAfterMs, later) }
  },
}

/** A new process, until signals reach it. */
async function startReady(id: number, cluster: Cluster, lie: string | null = null): Promise<void> {
  await cluster.kill(id)
  cluster.start(id, lie)
  const untilMs = performance.now() + backAfterMsMax
  while (!cluster.isReady(id)) {
    if (performance.now() > untilMs) throw new Error(`replica ${id} did not start`)
    await sleep(20)
  }
}

/** Whom the next fault hits. */
async function leaderOf(load: Load, cluster: Cluster, random: Random): Promise<number> {
  if (!leadersTakeTurns(cluster.local.network.epoch.protocol)) return followedByMost(load, cluster)
  // Each leads in a moment. Whom most name is whom they wait for in vain: the one of the round before. It has to be back, or two are away at once.
  await settle(load, cluster)
  return random.pick(cluster.ids)
}

async function followedByMost(load: Load, cluster: Cluster): Promise<number> {
  const enough = Math.floor(cluster.ids.length / 2) + 1
  const untilMs = performance.now() + servedAfterMsMax
  while (performance.now() < untilMs) {
    const statuses = await statusesOf(load, cluster)
    const votes = new Map<number, number>()
    for (const { leader } of statuses) if (leader !== null) votes.set(leader, (votes.get(leader) ?? 0) + 1)
    const [most] = [...votes].sort(([, left], [, right]) => right - left)
    if (most !== undefined && most[1] >= enough && cluster.running.includes(most[0])) return most[0]
    await sleep(50)
  }
  throw new Error('no leader was found')
}

/** Whatever was on its way when the fault began may still be answered: what is asked a moment later counts. */
async function servedAgain(load: Load): Promise<number> {
  const onItsWayMs = 100
  await sleep(onItsWayMs)
  return onItsWayMs + (await load.served(servedAfterMsMax))
}

/**
 * The others wish for the next leader until it is this one's turn. False: it never is, because they remember what it said in rounds
 * before. (To cut a correct leader off instead would be one fault too many: who has lied once is faulty for good.)
 */
async function letLead(wanted: number, { cluster, load }: Scene): Promise<boolean> {
  // It comes to lead by itself, over and over.
  if (leadersTakeTurns(cluster.local.network.epoch.protocol)) return true
  for (let tries = 0; tries < 2 * cluster.ids.length; tries++) {
    const leader = await followedByMost(load, cluster)
    if (leader === wanted) return true
    for (const id of cluster.ids) if (id !== wanted) cluster.signal(id, 'SIGUSR1')
    const untilMs = performance.now() + faultMs
    while (performance.now() < untilMs && (await followedByMost(load, cluster)) === leader) await sleep(50)
    await load.served(servedAfterMsMax)
  }
  return false
}

/** All replicas come to execute the same height: what a restarted one missed, it learns. */
async function settle(load: Load, cluster: Cluster): Promise<number[]> {
  const untilMs = performance.now() + backAfterMsMax
  let target: number | null = null
  while (performance.now() < untilMs) {
    const heights = (await statusesOf(load, cluster)).map((status) => status.executedHeight)
    if (heights.length === cluster.ids.length) {
      target ??= Math.max(...heights)
      const reached = target
      if (heights.every((height) => height >= reached)) return heights
    }
    await sleep(50)
  }
  throw new Error(`not every replica reached height ${target ?? 'of the others: not all of them answer'}`)
}

async function statusesOf(load: Load, cluster: Cluster): Promise<{ leader: number | null; executedHeight: number }[]> {
  const client = load.clients[0]!
  const reports = await Promise.all(cluster.ids.map((id) => client.status(id as never, { deadlineMs: 1_000 })))
  return reports.flatMap((report) =>
    report === null ? [] : [JSON.parse(report) as { leader: number | null; executedHeight: number }],
  )
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
