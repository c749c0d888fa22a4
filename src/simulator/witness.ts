// What must hold where members may lie, beside what must hold everywhere: nobody correct is accused, and time stays what right clocks
// show.

import type { SignatureSuite } from '../kernel/crypto-ports.ts'
import type { BlockHeader } from '../kernel/block.ts'
import type { Evidence } from '../kernel/evidence.ts'
import type { ReplicaId } from '../kernel/ids.ts'
import { judgeEvidence } from '../kernel/judge-evidence.ts'
import { faultModelOf } from '../kernel/ids.ts'
import type { Epoch } from '../kernel/membership.ts'
import type { ProtocolDefinition } from '../kernel/protocol.ts'
import { clockToleranceMs } from './clocks.ts'
import { count } from './coverage.ts'
import type { Invariants } from './invariants.ts'
import type { Coverage } from './report.ts'

export interface WallTimes {
  readonly lowestMs: number
  readonly highestMs: number
}

export interface WitnessOptions<Message, LogRecord> {
  epoch: Epoch
  definition: ProtocolDefinition<Message, LogRecord>
  suite: SignatureSuite
  invariants: Invariants
  coverage: Coverage
  isLiar: (replica: ReplicaId) => boolean
  /** What each right clock of a correct replica has shown so far. */
  rightTimes: () => readonly WallTimes[]
}

export class Witness<Message, LogRecord> {
  readonly #options: WitnessOptions<Message, LogRecord>

  constructor(options: WitnessOptions<Message, LogRecord>) {
    this.#options = options
  }

  /** A correct replica of the quorum has compared it with its own clock. Null blocks have no time. */
  decided({ height, timestamp }: BlockHeader): void {
    const { epoch, invariants, rightTimes } = this.#options
    if (timestamp === 0 || faultModelOf(epoch.protocol) === 'crash') return
    const toleranceMs = clockToleranceMs(epoch)
    const times = rightTimes()
    const lowest = Math.min(...times.map(({ lowestMs }) => lowestMs)) - toleranceMs
    const highest = Math.max(...times.map(({ highestMs }) => highestMs)) + toleranceMs
    if (timestamp >= lowest && timestamp <= highest) return
    const words = `height ${height} is decided with the time ${timestamp}, and right clocks allow ${lowest} to ${highest}`
    invariants.violate('absurd-time', words)
  }

  /** Nobody can prove that a correct replica has lied, and nobody correct claims what it cannot prove. */
  accused(by: ReplicaId, evidence: Evidence): void {
    const { epoch, definition, suite, invariants, coverage, isLiar } = this.#options
    const { replica } = evidence
    count(coverage, 'evidence')
    const verdict = judgeEvidence(evidence, epoch, definition as never, suite)
    if (!verdict.ok) {
      invariants.violate('worthless-evidence', `replica ${by} accuses replica ${replica}: ${verdict.reason}`)
    } else if (!isLiar(replica)) {
      const words = `replica ${by} accuses replica ${replica}, which is correct, of two statements about ${verdict.about}`
      invariants.violate('false-accusation', words)
    }
  }
}
