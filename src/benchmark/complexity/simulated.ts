/**
 * What a block costs, how long it takes, and what a dead leader costs: measured in the quiet world.
 *
 * A link takes a second and everything else next to nothing, so that time divided by a link's is a number of one-way delays. Nobody's timer comes in
 * between. A block's cost is the difference between a longer chain and a shorter one, both from rest to rest: what begins and ends a chain is in both.
 */

import { hasRunOfLeaders } from '../../simulator/leader-turns.ts'
import type { Contender } from '../contenders.ts'
import type { Delays } from './closed-forms.ts'
import { changingMessages, orderingMessages } from './message-names.ts'
import { QuietWorld } from './quiet-world.ts'
import { difference, sumOf, tallyOf, type Tally } from './tally.ts'

export interface Load {
  operationsPerBlock: number
  operationBytes: number
  /** Between the two chains that are compared. */
  blocks: number
}

export interface MeasuredBlock {
  messages: number
  /** Of those messages. */
  bytes: number
  signaturesMade: number
  signaturesChecked: number
  /** What else went from replica to replica meanwhile, by name: heartbeats, and what one hands on to the others. */
  apart: Readonly<Record<string, number>>
}

export interface MeasuredChange {
  /** Of the change alone. */
  messages: number
  bytes: number
  /** Until the request that waited is decided by all that are up and all is at rest: the change, and the blocks that come with it. */
  signaturesMade: number
  signaturesChecked: number
  messagesInAll: number
  /** From the moment in which the leader is given up until the request is decided by all that are up; null: a message had to be sent again. */
  delays: number | null
}

export interface SimulatedCosts {
  block: MeasuredBlock
  /** Of one request at rest, from the moment in which the leader has it. */
  delays: Delays
  /** Null: with its leader dead it never decides again (docs/protocols/hotstuff-figures.md). */
  change: MeasuredChange | null
}

const oneWayUs = 1_000_000
/** Longer than anything takes, and shorter than any timer. */
const restUs = 100 * oneWayUs
/** Whatever takes longer has waited for a heartbeat to bring it again. */
const heartbeatMs = 1_000_000

export function simulatedCosts(contender: Contender, replicas: number, load: Load): SimulatedCosts {
  const world = quiet(contender, replicas, load.operationsPerBlock)
  world.begin(restUs)
  const delays = loneRequest(world)
  return { block: chains(contender, world, load), delays, change: viewChange(contender, replicas) }
}

export function simulatedBlock(contender: Contender, replicas: number, load: Load): MeasuredBlock {
  const world = quiet(contender, replicas, load.operationsPerBlock)
  world.begin(restUs)
  return chains(contender, world, load)
}

/** From rest to rest: the block, and the empty ones that it needs to be committed. */
export function simulatedLoneBlock(contender: Contender, replicas: number, load: Omit<Load, 'blocks'>): MeasuredBlock {
  const world = quiet(contender, replicas, load.operationsPerBlock)
  world.begin(restUs)
  return perBlock(contender, chain(world, load, 1).tally, 1)
}

function chain(
  world: QuietWorld,
  { operationsPerBlock, operationBytes }: Omit<Load, 'blocks'>,
  length: number,
): { tally: Tally; heights: number } {
  const before = { tally: tallyOf(world.work), height: world.height, executed: world.executed }
  world.submit(length, operationsPerBlock, operationBytes)
  world.until('a chain', () => world.executed === before.executed + length * operationsPerBlock)
  world.elapse(restUs)
  return { tally: difference(tallyOf(world.work), before.tally), heights: world.height - before.height }
}

function chains(contender: Contender, world: QuietWorld, load: Load): MeasuredBlock {
  const [short, long] = [chain(world, load, load.blocks), chain(world, load, 2 * load.blocks)]
  return perBlock(contender, difference(long.tally, short.tally), long.heights - short.heights)
}

function quiet(contender: Contender, replicas: number, operationsMax: number): QuietWorld {
  const timeoutMs = 4 * heartbeatMs
  return new QuietWorld({
    contender,
    replicas,
    oneWayUs,
    parameters: {
      batch: { operationsMax, lingerMs: 0 },
      timers: { timeoutMsBase: timeoutMs, timeoutMsMax: 8 * timeoutMs, heartbeatMs, retransmitMs: heartbeatMs },
      checkpoints: { intervalHeights: 1_000_000 },
      pbft: { windowBlocks: 1024, clockToleranceMs: timeoutMs },
    },
  })
}

function loneRequest(world: QuietWorld): Delays {
  const proposedUs = world.nowUs + oneWayUs
  world.submit(1, 1, 16)
  world.until('a decision', () => world.executedUs.size === world.replicas.length)
  const times = [...world.executedUs.values()]
  world.elapse(restUs)
  return { first: delaysSince(proposedUs, Math.min(...times)), last: delaysSince(proposedUs, Math.max(...times)) }
}

/** Of so many blocks. */
export function perBlock({ protocol }: Contender, tally: Tally, blocks: number): MeasuredBlock {
  const ordering = orderingMessages[protocol]
  // Real heartbeats follow the clock: a longer chain may have had fewer.
  const others = Object.entries(tally.messages).filter(([name, count]) => !ordering.includes(name) && count > 0)
  return {
    messages: sumOf(tally.messages, ordering) / blocks,
    bytes: sumOf(tally.messageBytes, ordering) / blocks,
    signaturesMade: tally.signaturesMade / blocks,
    signaturesChecked: tally.signaturesChecked / blocks,
    apart: Object.fromEntries(others.map(([name, count]) => [name, count / blocks])),
  }
}

/** In a world of its own: what is under way makes a difference, and here one block is. */
function viewChange(contender: Contender, replicas: number): MeasuredChange | null {
  const { protocol } = contender
  const names = changingMessages[protocol]
  const world = quiet(contender, replicas, 1)
  world.begin(restUs)
  world.kill(world.leader!)
  const up = world.up.map(({ id }) => id)
  if (!hasRunOfLeaders(world.epoch, up)) return null
  const before = tallyOf(world.work)
  const { executed } = world
  const since = (): Tally => difference(tallyOf(world.work), before)
  world.submit(1, 1, 16, up)
  let { framesSent } = world
  world.until('giving the leader up', () => {
    if (world.framesSent === framesSent) return false
    framesSent = world.framesSent
    return sumOf(since().messages, names) > 0
  })
  const givenUpUs = world.nowUs
  world.until('a decision', () => world.executed > executed)
  const tookUs = world.nowUs - givenUpUs
  world.elapse(restUs)
  const tally = since()
  return {
    messages: sumOf(tally.messages, names),
    bytes: sumOf(tally.messageBytes, names),
    signaturesMade: tally.signaturesMade,
    signaturesChecked: tally.signaturesChecked,
    messagesInAll: sumOf(tally.messages, [...names, ...orderingMessages[protocol]]),
    delays: tookUs > restUs ? null : delaysSince(givenUpUs, givenUpUs + tookUs),
  }
}

function delaysSince(fromUs: number, toUs: number): number {
  return Math.round((toUs - fromUs) / oneWayUs)
}
