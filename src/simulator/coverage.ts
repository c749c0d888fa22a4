// What a sweep must have seen. A clean sweep that never met the hard cases proves nothing.

import type { ProtocolName } from '../kernel/ids.ts'
import { votersMin } from '../kernel/quorum.ts'
import type { Coverage, CoverageMinimum, FaultFamily } from './report.ts'

export function count(coverage: Coverage, name: string, by: number = 1): void {
  coverage[name] = (coverage[name] ?? 0) + by
}

const networkMinima: readonly CoverageMinimum[] = [
  { name: 'leader-changes', perThousandSeeds: 1000, why: 'elections under faults' },
  { name: 'truncated', perThousandSeeds: 20, why: 'logs that diverged and were mended' },
  { name: 'messages-lost', perThousandSeeds: 1000, why: 'retransmission' },
  { name: 'messages-duplicated', perThousandSeeds: 1000, why: 'stale and repeated messages' },
  { name: 'client-retries', perThousandSeeds: 1000, why: 'requests ordered twice' },
  { name: 'deadlines', perThousandSeeds: 200, why: 'operations given up, whose numbers go on' },
  { name: 'retries-not-executed-again', perThousandSeeds: 100, why: 'exactly-once sessions' },
  { name: 'stepped-down', perThousandSeeds: 50, why: 'check-quorum' },
  { name: 'snapshots-installed', perThousandSeeds: 20, why: 'states that came from others' },
]

const processMinima: readonly CoverageMinimum[] = [
  { name: 'leader-changes', perThousandSeeds: 1000, why: 'elections under faults' },
  { name: 'restarts', perThousandSeeds: 1000, why: 'recovery from the log' },
  { name: 'restarts-that-lost-writes', perThousandSeeds: 100, why: 'crashes between write and fsync' },
  { name: 'pauses', perThousandSeeds: 100, why: 'bursts after a stall' },
  { name: 'restarts-from-snapshots', perThousandSeeds: 100, why: 'starts that execute little again' },
  { name: 'transfer-begun', perThousandSeeds: 100, why: 'leadership handed over' },
]

const diskMinima: readonly CoverageMinimum[] = [
  { name: 'fault-slow-disk', perThousandSeeds: 100, why: 'syncs that take seconds' },
  { name: 'fault-full-disk', perThousandSeeds: 100, why: 'writes that do not fit' },
  { name: 'fault-failing-sync', perThousandSeeds: 100, why: 'what is readable and not on disk' },
  { name: 'fault-hanging-sync', perThousandSeeds: 100, why: 'what is never answered' },
  { name: 'fault-rot-on-read', perThousandSeeds: 100, why: 'reads that go wrong once' },
  { name: 'fault-rot', perThousandSeeds: 100, why: 'bits that flip for good' },
  { name: 'kills', perThousandSeeds: 100, why: 'processes that end with the page cache left as it is' },
  { name: 'storage-failures', perThousandSeeds: 100, why: 'logs that fail for good' },
  { name: 'storage-stalled', perThousandSeeds: 50, why: 'replicas that wait for room' },
  { name: 'stepped-down-storage-hangs', perThousandSeeds: 10, why: 'leaders whose disk hangs' },
]

/** What needs a replica more than a quorum: one that may be damaged for good. */
const damageMinima: readonly CoverageMinimum[] = [
  { name: 'fault-misdirected-write', perThousandSeeds: 100, why: 'writes that land elsewhere' },
  { name: 'fault-wiped', perThousandSeeds: 100, why: 'directories that are gone' },
  { name: 'fault-restored-backup', perThousandSeeds: 20, why: 'directories that are old' },
  { name: 'corrupt-logs-refused', perThousandSeeds: 100, why: 'damage that is noticed' },
  { name: 'empty-directories-refused', perThousandSeeds: 100, why: 'voters that do not start from nothing' },
  { name: 'old-copies-refused', perThousandSeeds: 20, why: 'voters that do not start from an old log' },
  { name: 'abstaining-caught-up', perThousandSeeds: 50, why: 'replicas that lost their vote and follow' },
]

/** Under any protocol, faults or none. */
const alwaysMinima: readonly CoverageMinimum[] = [
  { name: 'linearizable-reads', perThousandSeeds: 1000, why: 'reads without a log entry' },
  { name: 'signed-envelopes', perThousandSeeds: 1000, why: 'signatures of clients' },
  { name: 'operations-committed', perThousandSeeds: 10_000, why: 'load' },
  { name: 'headers-behind-execution', perThousandSeeds: 1000, why: 'roots worked out while blocks are executed' },
  { name: 'checkpoint-stable', perThousandSeeds: 1000, why: 'snapshots that are certified and on disk' },
  { name: 'log-cut', perThousandSeeds: 1000, why: 'logs that begin behind a checkpoint' },
]

const leaseMinima: readonly CoverageMinimum[] = [
  { name: 'read-by-lease', perThousandSeeds: 200, why: 'reads without a round' },
]

/** What any protocol meets when messages are lost, late and repeated. */
const lossMinima: readonly CoverageMinimum[] = [
  { name: 'messages-lost', perThousandSeeds: 1000, why: 'retransmission' },
  { name: 'messages-duplicated', perThousandSeeds: 1000, why: 'stale and repeated messages' },
  { name: 'client-retries', perThousandSeeds: 1000, why: 'requests ordered twice' },
  { name: 'deadlines', perThousandSeeds: 200, why: 'operations given up, whose numbers go on' },
  { name: 'leader-changes', perThousandSeeds: 1000, why: 'primaries replaced under faults' },
]

/** hotstuff. */
const chainMinima: readonly CoverageMinimum[] = [
  { name: 'view-given-up', perThousandSeeds: 1000, why: 'views that end by timeouts' },
  { name: 'orphaned', perThousandSeeds: 500, why: 'nodes that others have taken the place of' },
  { name: 'node-wanted', perThousandSeeds: 500, why: 'certificates that come before what they certify' },
  { name: 'null-block', perThousandSeeds: 1000, why: 'empty blocks that bring a chain to its end' },
  { name: 'chain-ended', perThousandSeeds: 1000, why: 'last certificates that are told by themselves' },
  { name: 'catch-up', perThousandSeeds: 200, why: 'decisions taken over from others with their proofs' },
]

/** pbft. */
const viewChangeMinima: readonly CoverageMinimum[] = [
  {
    name: 'view-change-with-prepared',
    perThousandSeeds: 500,
    why: 'view changes that must not lose what was prepared',
  },
  { name: 're-proposed', perThousandSeeds: 500, why: 'blocks that are agreed on again in a later view' },
  { name: 'null-block', perThousandSeeds: 20, why: 'heights that a primary left empty' },
  { name: 'catch-up', perThousandSeeds: 200, why: 'decisions taken over from others with their proofs' },
  { name: 'payload-fetched', perThousandSeeds: 20, why: 'blocks agreed on before their payload is there' },
  { name: 'links-slow', perThousandSeeds: 50, why: 'views that have more time on slow links' },
]

const recoveryMinima: readonly CoverageMinimum[] = [
  { name: 'restarts', perThousandSeeds: 1000, why: 'recovery from the log' },
  { name: 'restarts-that-lost-writes', perThousandSeeds: 100, why: 'crashes between write and fsync' },
  { name: 'restarts-from-snapshots', perThousandSeeds: 100, why: 'starts that execute little again' },
  { name: 'pauses', perThousandSeeds: 100, why: 'bursts after a stall' },
]

/** Where as many may lie as are survived, and each seed draws how many do. */
const lieMinima: readonly CoverageMinimum[] = [
  { name: 'adversaries', perThousandSeeds: 300, why: 'replicas that lie' },
  { name: 'evidence', perThousandSeeds: 20, why: 'lies that are proven' },
]

/** What does not depend on who leads, or how. */
const disksOfAnyProtocol = diskMinima.filter(({ name }) => name !== 'stepped-down-storage-hangs')

/** Minima for what a protocol and these faults can produce. */
export function coverageMinima(
  protocol: ProtocolName,
  replicas: number,
  faults: FaultFamily,
): readonly CoverageMinimum[] {
  if (protocol !== 'raft')
    return byzantineMinima(protocol === 'pbft' ? viewChangeMinima : chainMinima, replicas, faults)
  const always = [...alwaysMinima, ...leaseMinima]
  if (replicas < 2) return always
  switch (faults) {
    case 'none':
      return always
    case 'network':
      return [...always, ...networkMinima]
    case 'process':
      return [...always, ...processMinima]
    case 'disk':
      return [...always, ...diskMinima, ...(replicas < 3 ? [] : damageMinima)]
    case 'all':
      return [
        ...always,
        ...networkMinima.slice(1),
        ...processMinima,
        ...diskMinima,
        ...(replicas < 3 ? [] : damageMinima),
      ]
  }
}

/** Of disks damaged for good nothing is asked: where replicas lie, few may be. */
function byzantineMinima(
  viewMinima: readonly CoverageMinimum[],
  replicas: number,
  faults: FaultFamily,
): readonly CoverageMinimum[] {
  if (replicas < votersMin('byzantine') || faults === 'none') return alwaysMinima
  const always = [...alwaysMinima, ...lieMinima]
  switch (faults) {
    case 'network':
      return [...always, ...lossMinima, ...viewMinima]
    case 'process':
      return [...always, ...recoveryMinima]
    case 'disk':
      return [...always, ...disksOfAnyProtocol]
    case 'all':
      return [...always, ...lossMinima, ...viewMinima, ...recoveryMinima, ...disksOfAnyProtocol]
  }
}
