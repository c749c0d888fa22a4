// Which faults a run may see, and how often: each run draws a subset of its own, because a fault that is always there hides the
// bugs that need its absence (swarm testing).

import type { Random } from '../kernel/random.ts'
import type { FaultFamily } from './report.ts'
import type { NetworkModel } from './network.ts'

export type NetworkFault = 'partition' | 'one-way-partition' | 'isolation' | 'clog' | 'loss-burst' | 'slow-burst'
export type ProcessFault = 'crash' | 'crash-all' | 'pause' | 'wall-clock-jump'
export type DiskFault =
  | 'slow-disk'
  | 'full-disk'
  | 'failing-sync'
  | 'hanging-sync'
  | 'rot-on-read'
  | 'rot'
  | 'misdirected-write'
  | 'wiped'
  | 'restored-backup'

export interface FaultPlan {
  network: NetworkModel
  faults: readonly (NetworkFault | ProcessFault)[]
  /** Mean virtual time between two faults. */
  intervalUs: number
  /** How long a fault lasts, at the least and at the most. */
  durationUsMin: number
  durationUsMax: number
  /** Rates of the replicas' monotonic clocks, in parts per million off. */
  driftPpmMax: number
  /** Wall clocks are off by at most so much. */
  wallOffsetMsMax: number
}

/** Faults of disks are drawn apart, so that those of networks and processes are the same whether there are any or not. */
export interface DiskPlan {
  faults: readonly DiskFault[]
  /** Mean virtual time between two faults. */
  intervalUs: number
  durationUsMin: number
  durationUsMax: number
}

const networkFaults: readonly NetworkFault[] = [
  'partition',
  'one-way-partition',
  'isolation',
  'clog',
  'loss-burst',
  'slow-burst',
]
const processFaults: readonly ProcessFault[] = ['crash', 'crash-all', 'pause', 'wall-clock-jump']
/** What makes a disk's faults felt: a process reads its disk only when it starts. */
const powerFaults: readonly ProcessFault[] = ['crash', 'crash-all']
const diskFaults: readonly DiskFault[] = [
  'slow-disk',
  'full-disk',
  'failing-sync',
  'hanging-sync',
  'rot-on-read',
  'rot',
  'misdirected-write',
  'wiped',
  'restored-backup',
]

/** Null: the disks of this run have no faults. */
export function drawDiskPlan(random: Random, family: FaultFamily): DiskPlan | null {
  if (family !== 'disk' && family !== 'all') return null
  if (family === 'all' && random.chance(1, 2)) return null
  const drawn = diskFaults.filter(() => random.chance(1, 2))
  return {
    faults: drawn.length > 0 ? drawn : [random.pick(diskFaults)],
    intervalUs: random.pick([200_000, 500_000, 1_500_000]),
    durationUsMin: 10_000,
    durationUsMax: random.pick([200_000, 1_000_000, 3_000_000]),
  }
}

export function drawFaultPlan(random: Random, family: FaultFamily): FaultPlan {
  const withNetwork = family === 'network' || family === 'all'
  const withProcess = family === 'process' || family === 'all'
  const candidates = [...(withNetwork ? networkFaults : []), ...(withProcess ? processFaults : [])]
  const drawn = candidates.filter(() => random.chance(1, 2))
  const some = drawn.length > 0 || candidates.length === 0 ? drawn : [random.pick(candidates)]
  const faults = family === 'disk' ? powerFaults : some
  return {
    network: drawNetworkModel(random, withNetwork),
    faults,
    intervalUs: random.pick([300_000, 800_000, 2_000_000]),
    durationUsMin: 20_000,
    durationUsMax: random.pick([400_000, 1_500_000, 5_000_000]),
    driftPpmMax: withProcess ? random.pick([0, 1_000, 50_000]) : 0,
    wallOffsetMsMax: withProcess ? random.pick([0, 500, 3_600_000]) : 0,
  }
}

function drawNetworkModel(random: Random, faulty: boolean): NetworkModel {
  const delayUsMin = random.pick([20, 100, 1_000])
  return {
    delayUsMin,
    delayUsTypical: delayUsMin * random.between(2, 8),
    slowPerMille: faulty ? random.pick([0, 1, 10, 30]) : 0,
    lossPerMille: faulty ? random.pick([0, 0, 5, 20, 80]) : 0,
    duplicatePerMille: faulty ? random.pick([0, 0, 5, 50]) : 0,
    ordered: faulty ? random.chance(1, 2) : true,
  }
}
