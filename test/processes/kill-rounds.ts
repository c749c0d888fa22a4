// Rounds of misfortune for the leader of a real network under load: killed and started again, or stopped for a while. After each,
// how long it took until something new was answered.

import type { ProtocolName } from '../../src/kernel/ids.ts'
import { createRandom } from '../../src/kernel/random.ts'
import { Cluster } from './cluster.ts'
import { judge, Load } from './load.ts'

export interface KillRoundsOptions {
  protocol: ProtocolName
  replicas: number
  rounds: number
  seed: string
  onRound?: (round: RoundReport) => void
}

export interface RoundReport {
  round: number
  fault: 'kill' | 'pause'
  leader: number
  servedAfterMs: number
}

export interface KillReport {
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
const pauseMs = 3_000

export async function killRounds(options: KillRoundsOptions): Promise<KillReport> {
  const { protocol, replicas, rounds, seed, onRound } = options
  const random = createRandom(`kills ${seed}`)
  const cluster = await Cluster.create({ protocol, replicas })
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
  const report: KillReport = {
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
    await load.served(servedAfterMsMax)
    for (let round = 1; round <= rounds; round++) {
      const leader = await leaderOf(load, cluster)
      const fault = round % 3 === 0 ? 'pause' : 'kill'
      if (fault === 'kill') await cluster.kill(leader)
      else cluster.signal(leader, 'SIGSTOP')
      const servedAfterMs = Math.round(await load.served(servedAfterMsMax))
      if (fault === 'kill') {
        await sleep(random.below(500))
        cluster.start(leader)
      } else {
        await sleep(Math.max(0, pauseMs - servedAfterMs))
        cluster.signal(leader, 'SIGCONT')
      }
      await sleep(500 + random.below(500))
      const one: RoundReport = { round, fault, leader, servedAfterMs }
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
    process.stderr.write(`${cluster.said.slice(-60).join('\n')}\n`)
    throw error
  } finally {
    for (const id of cluster.running) cluster.signal(id, 'SIGCONT')
    await cluster.remove()
  }
}

/** Whom most of those who answer follow. */
async function leaderOf(load: Load, cluster: Cluster): Promise<number> {
  const untilMs = performance.now() + servedAfterMsMax
  while (performance.now() < untilMs) {
    const statuses = await statusesOf(load, cluster)
    const votes = new Map<number, number>()
    for (const { leader } of statuses) if (leader !== null) votes.set(leader, (votes.get(leader) ?? 0) + 1)
    const [most] = [...votes].sort(([, left], [, right]) => right - left)
    if (most !== undefined && most[1] * 2 > cluster.ids.length && cluster.running.includes(most[0])) return most[0]
    await sleep(50)
  }
  throw new Error('no leader was found')
}

/** All replicas come to execute the same height: what a restarted one missed, it learns. */
async function settle(load: Load, cluster: Cluster): Promise<number[]> {
  const untilMs = performance.now() + servedAfterMsMax
  const targets = (await statusesOf(load, cluster)).map((status) => status.executedHeight)
  const target = Math.max(...targets)
  while (performance.now() < untilMs) {
    const heights = (await statusesOf(load, cluster)).map((status) => status.executedHeight)
    if (heights.length === cluster.ids.length && heights.every((height) => height >= target)) return heights
    await sleep(50)
  }
  throw new Error(`not every replica reached height ${target}`)
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
