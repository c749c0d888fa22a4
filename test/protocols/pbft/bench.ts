// Pbft's cores on the bench (../common/core-bench.ts).

import type { Input } from '../../../src/kernel/protocol.ts'
import { isDecided } from '../../../src/protocols/pbft/decision.ts'
import type { PbftMessage } from '../../../src/protocols/pbft/messages.ts'
import { pbft } from '../../../src/protocols/pbft/pbft.ts'
import type { PbftRecord } from '../../../src/protocols/pbft/records.ts'
import { CoreBench, type BenchOptions, type SentMessage, type Subject } from '../common/core-bench.ts'
import type { CoreReplica } from '../common/core-replica.ts'
import { TestPool } from '../raft/test-pool.ts'

export { parametersOf, timeoutMs, wallStartMs } from '../common/core-bench.ts'

export type PbftInput = Input<PbftMessage, PbftRecord>
export type Sent = SentMessage<PbftMessage>
export type Replica = CoreReplica<PbftMessage, PbftRecord, TestPool>

const subject: Subject<PbftMessage, PbftRecord, TestPool> = {
  definition: pbft,
  isDecided,
  makePool: (bench) => new TestPool(() => bench.nowMs),
}

export class Bench extends CoreBench<PbftMessage, PbftRecord, TestPool> {
  constructor(options: BenchOptions = {}) {
    super(subject, options)
  }
}

export function kinds(...wanted: PbftMessage['kind'][]): (sent: Sent) => boolean {
  return (sent) => wanted.includes(sent.message.kind)
}
