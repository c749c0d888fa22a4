// What was counted between two moments.

import type { Counters } from './system.ts'

/** Null for a replica that did not tell both times. */
export function countedBetween(
  before: readonly (Counters | null)[],
  after: readonly (Counters | null)[],
): (Counters | null)[] {
  return after.map((now, replica) => {
    const then = before[replica] ?? null
    return now === null || then === null ? null : difference(then, now)
  })
}

function difference(before: Counters, after: Counters): Counters {
  return {
    fsyncs: less(after.fsyncs, before.fsyncs),
    framesSent: less(after.framesSent, before.framesSent),
    bytesSent: less(after.bytesSent, before.bytesSent),
    messagesSent: after.messagesSent === null ? null : lessEach(after.messagesSent, before.messagesSent ?? {}),
    signaturesMade: less(after.signaturesMade, before.signaturesMade),
    signaturesChecked: less(after.signaturesChecked, before.signaturesChecked),
    // Of the time since it was last asked, already.
    eventLoopDelayP99Ms: after.eventLoopDelayP99Ms,
  }
}

function less(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before
}

function lessEach(
  after: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Record<string, number> {
  const named = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
  return Object.fromEntries(named.filter(([, count]) => count > 0))
}
