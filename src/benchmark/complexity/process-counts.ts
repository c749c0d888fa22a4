/**
 * Counting blocks of a network of real processes that is up: blocks of one operation each, from clients that each wait for one at a time, so that a
 * block's bytes are the same whatever the timing. What begins and ends a chain is left out as in the simulator: a longer chain less a shorter one,
 * both from rest to rest. Then blocks on their own, each from rest to rest.
 */

import type { ReplicaStatus } from '../../replica/replica.ts'
import type { Contender } from '../contenders.ts'
import { orderingMessages } from './message-names.ts'
import type { LoneBlocks, ProcessesBlock } from './report.ts'
import { perBlock, type MeasuredBlock } from './simulated.ts'
import { difference, sumOf, tallyOf, type Tally } from './tally.ts'

export type ClusterStatus = Pick<ReplicaStatus, 'replica' | 'leader' | 'executedHeight' | 'work' | 'log'> & {
  peers: readonly Pick<ReplicaStatus['peers'][number], 'replica' | 'connected' | 'refuses'>[]
}

export interface Cluster {
  /** Each submits one operation, and resolves when it is executed. */
  readonly clients: readonly (() => Promise<unknown>)[]
  /** Of all replicas; null for one that does not answer. */
  statuses(): Promise<(ClusterStatus | null)[]>
  /** Rejects when patience is over. */
  pause(): Promise<unknown>
}

export const operationsOfShortChain = 160
export const loneBlocks = 20
/** In so many looks nothing has happened when all is at rest. */
const stillLooks = 3

/** `waiting` always says for what, for whoever gives up. */
export async function countBlocks(
  contender: Contender,
  cluster: Cluster,
  waiting: { for: string },
): Promise<Omit<ProcessesBlock, 'simulated' | 'lone'> & { lone: LoneBlocks }> {
  await together(cluster, waiting)
  waiting.for = 'clients to open their sessions'
  await submit(cluster.clients, cluster.clients.length)
  const measured: Measured[] = [await rest(contender, cluster, waiting)]
  for (const operations of [operationsOfShortChain, 2 * operationsOfShortChain]) {
    waiting.for = `${operations} blocks`
    await submit(cluster.clients, operations)
    measured.push(await rest(contender, cluster, waiting))
  }
  const [start, middle, end] = measured as [Measured, Measured, Measured]
  const blocks = end.height - middle.height - (middle.height - start.height)
  const tally = difference(difference(end.tally, middle.tally), difference(middle.tally, start.tally))
  const lone = { measured: await countLoneBlocks(contender, cluster, waiting, end) }
  return { blocks, empty: blocks - operationsOfShortChain, measured: perBlock(contender, tally, blocks), lone }
}

async function countLoneBlocks(
  contender: Contender,
  cluster: Cluster,
  waiting: { for: string },
  start: Measured,
): Promise<MeasuredBlock[]> {
  const counts: MeasuredBlock[] = []
  for (let before = start; counts.length < loneBlocks;) {
    waiting.for = 'a block on its own'
    await cluster.clients[0]!()
    const after = await rest(contender, cluster, waiting)
    counts.push(perBlock(contender, difference(after.tally, before.tally), 1))
    before = after
  }
  return counts
}

async function submit(clients: Cluster['clients'], operations: number): Promise<void> {
  let left = operations
  const work = async (client: () => Promise<unknown>): Promise<void> => {
    while (left-- > 0) await client()
  }
  await Promise.all(clients.map(work))
}

/**
 * Everybody has a link to everybody, and knows a leader. What is sent before is lost, and is not sent again for a minute: no timer comes between
 * blocks that are counted, nor here.
 */
async function together(cluster: Cluster, waiting: { for: string }): Promise<void> {
  for (;;) {
    const statuses = await cluster.statuses()
    const lacking = statuses.flatMap((status) => lackOf(status))
    if (lacking.length === 0) return
    waiting.for = lacking[0]!
    await cluster.pause()
  }
}

function lackOf(status: ClusterStatus | null): string[] {
  if (status === null) return ['all replicas to answer']
  const { replica, leader, peers } = status
  const apart = peers.filter(({ connected, refuses }) => !connected || refuses !== null)
  if (apart.length > 0) return [`a link between replicas ${replica} and ${apart[0]!.replica}`]
  return leader === null ? [`replica ${replica} to know a leader`] : []
}

interface Measured {
  height: number
  tally: Tally
}

/** Everybody has executed the same, and orders nothing more. */
async function rest(contender: Contender, cluster: Cluster, waiting: { for: string }): Promise<Measured> {
  for (let before = '', still = 0; ;) {
    await cluster.pause()
    const statuses = await cluster.statuses()
    const heights = statuses.map((status) => status?.executedHeight ?? null)
    waiting.for = `all replicas to be at rest at one height (they stand at ${heights.join(', ')})`
    const tally = tallyOf(statuses.flatMap((status) => (status === null ? [] : [workOf(status)])))
    const ordered = sumOf(tally.messages, orderingMessages[contender.protocol])
    const now = [...heights, ordered, tally.signaturesMade, tally.signaturesChecked].join()
    still = now === before ? still + 1 : 0
    before = now
    const [height, ...others] = new Set(heights)
    if (still >= stillLooks && height != null && others.length === 0) return { height, tally }
  }
}

function workOf({ work, log }: ClusterStatus): { work: ClusterStatus['work']; syncs: number } {
  return { work, syncs: log.syncs }
}
