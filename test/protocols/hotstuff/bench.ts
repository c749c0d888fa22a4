// Hotstuff's cores on the bench (../common/core-bench.ts).

import { isDecided } from '../../../src/protocols/hotstuff/decision.ts'
import type { HotstuffMessage } from '../../../src/protocols/hotstuff/messages.ts'
import { hotstuff } from '../../../src/protocols/hotstuff/hotstuff.ts'
import type { HotstuffRecord } from '../../../src/protocols/hotstuff/records.ts'
import { CoreBench, type BenchOptions, type SentMessage, type Subject } from '../common/core-bench.ts'
import type { CoreReplica } from '../common/core-replica.ts'
import { HandingPool } from './test-pool.ts'

export { parametersOf, timeoutMs, wallStartMs, type BenchOptions } from '../common/core-bench.ts'

export type Sent = SentMessage<HotstuffMessage>
export type Replica = CoreReplica<HotstuffMessage, HotstuffRecord, HandingPool>

const subject: Subject<HotstuffMessage, HotstuffRecord, HandingPool> = {
  definition: hotstuff,
  isDecided,
  /** What it hands on comes as any message does, and is lost as any is. */
  makePool: (bench, id) =>
    new HandingPool(
      () => bench.nowMs,
      (to, texts) =>
        bench.later(() => {
          if (!bench.isCut(id, to) && bench.replica(to).isUp) bench.replica(to).propose(...texts)
        }),
    ),
}

export class Bench extends CoreBench<HotstuffMessage, HotstuffRecord, HandingPool> {
  constructor(options: BenchOptions = {}) {
    super(subject, options)
  }
}

export function kinds(...wanted: HotstuffMessage['kind'][]): (sent: Sent) => boolean {
  return (sent) => wanted.includes(sent.message.kind)
}
