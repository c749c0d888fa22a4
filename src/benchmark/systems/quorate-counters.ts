// What a replica's status tells of what it has done.

import type { ReplicaStatus } from '../../replica/replica.ts'
import type { Counters } from '../system.ts'

export type StatusReport = Pick<ReplicaStatus, 'view' | 'leader' | 'log' | 'work' | 'eventLoopDelayP99Ms'>

export function countersOf({ log, work, eventLoopDelayP99Ms }: StatusReport): Counters {
  const signatures = Object.values(work.signatures)
  return {
    fsyncs: log.syncs,
    framesSent: work.framesSent,
    bytesSent: work.bytesSent,
    messagesSent: Object.fromEntries(Object.entries(work.sent).map(([name, { messages }]) => [name, messages])),
    signaturesMade: signatures.reduce((sum, { made }) => sum + made, 0),
    signaturesChecked: signatures.reduce((sum, { checked }) => sum + checked, 0),
    eventLoopDelayP99Ms,
  }
}
