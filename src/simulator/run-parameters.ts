// What a run draws once, before anything happens: the network file's parameters and the shape of the load.

import { defaultParameters, type Parameters } from '../kernel/parameters.ts'
import type { Random } from '../kernel/random.ts'
import type { SnapshotPolicy } from '../replica/core/snapshot-taker.ts'
import type { SliceLimits } from '../execution/root-in-progress.ts'

export interface LoadShape {
  clients: number
  keys: number
  /** Groups of operations, and reads, that a client has open at once. */
  inFlightMax: number
  /** Mean pause between an answer and the next operation. */
  thinkUs: number
  retryUs: number
  /** Of 1,000 reads, so many go without a log entry. */
  readIndexPerMille: number
  /** Of 1,000 operations, so many are given up when their deadline comes first. */
  deadlinePerMille: number
  /** Of 1,000 times that a client has nothing open, so often it ends and another begins under its key. */
  restartPerMille: number
}

/** Small windows and short sessions, so that their ends are met within seconds of virtual time. */
export function drawParameters(random: Random): Parameters {
  const parameters = defaultParameters(random.chance(1, 8) ? 'required' : 'link')
  const timeoutMsBase = random.pick([100, 150, 300])
  return {
    ...parameters,
    batch: {
      operationsMax: random.pick([1, 4, 100]),
      bytesMax: random.pick([1024, 65_536]),
      lingerMs: random.pick([0, 1, 5]),
    },
    flow: { pipelineBlocksMax: random.pick([1, 4, 16]), executionLagBlocksMax: random.pick([4, 128]) },
    timers: {
      timeoutMsBase,
      timeoutMsMax: 2000,
      heartbeatMs: Math.floor(timeoutMsBase / random.pick([3, 5])),
      retransmitMs: Math.floor(timeoutMsBase / 2),
    },
    sessions: {
      repliesKept: random.pick([16, 64]),
      lifetimeHeights: random.pick([64, 100_000]),
      perClientMax: 4,
      totalMax: 64,
    },
    checkpoints: { intervalHeights: random.pick([4, 16, 64]) },
    raft: { ...parameters.raft, inflightEntriesMax: random.pick([2, 8, 64]) },
  }
}

/** How a replica works out the roots of its checkpoints: some at once, others chunk by chunk, far behind what they execute. */
export interface RootPace extends SliceLimits {
  owedTurnUs: number
}

export function drawRootPace(random: Random): RootPace {
  return {
    sliceBytesMax: random.pick([256, 4096, 1024 * 1024]),
    sliceChunksMax: random.pick([1, 3, 1024]),
    owedTurnUs: random.pick([0, 0, 200, 1000]),
  }
}

/** How often a replica writes a snapshot of its own, and how fast it hands out state. */
export interface SnapshotPace extends SnapshotPolicy {
  transferBytesPerSecond: number
}

export function drawSnapshotPace(random: Random): SnapshotPace {
  return {
    logBytesMin: random.pick([0, 2_000, 20_000]),
    writtenPercentMin: random.pick([0, 50]),
    sliceBytesMax: random.pick([64, 1024, 1024 * 1024]),
    transferBytesPerSecond: random.pick([64 * 1024, 1024 * 1024, 32 * 1024 * 1024]),
  }
}

/** What only raft has: leases that clocks of this drift can keep, and who should lead. */
export function drawLeaseDrift(random: Random, driftPpmMax: number): number {
  // A leader's clock too slow by p and a follower's too fast by p: a lease may last (1 - p) / (1 + p) of the followers' patience.
  const drift = driftPpmMax / 1_000_000
  return random.chance(1, 2) ? 0 : Math.max(1, Math.ceil((2000 * drift) / (1 + drift)))
}

export function drawPriorities(random: Random, replicas: number): number[] {
  const differ = random.chance(1, 4)
  return Array.from({ length: replicas }, () => (differ ? random.below(3) : 0))
}

export function drawLoad(random: Random): LoadShape {
  return {
    clients: random.between(2, 4),
    keys: random.between(1, 6),
    inFlightMax: random.pick([1, 2, 4]),
    thinkUs: random.pick([25_000, 80_000, 200_000]),
    retryUs: random.pick([150_000, 400_000]),
    readIndexPerMille: random.pick([0, 500, 900]),
    deadlinePerMille: random.pick([0, 0, 20, 100]),
    restartPerMille: random.pick([0, 0, 20]),
  }
}
