// A network of a bench whose messages take their time.

import type { ReplicaId } from '../../../src/kernel/ids.ts'

/** As pbft's and hotstuff's benches are. */
interface SlowedBench<Sent> {
  nowMs: number
  post: (sent: Sent) => void
  elapse: (durationMs: number, matches: (sent: Sent) => boolean) => unknown
}

/** How long a message takes from one to the other. */
export type Delays = (from: ReplicaId, to: ReplicaId) => number

/** From now on every message takes so long, as `delayMs` says when it is sent. What is returned lets time pass. */
export function slowly<Sent extends { from: ReplicaId; to: ReplicaId }>(
  bench: SlowedBench<Sent>,
  delayMs: Delays,
): (durationMs: number) => void {
  const due = new Map<Sent, number>()
  const post = bench.post.bind(bench)
  bench.post = (sent) => {
    due.set(sent, bench.nowMs + delayMs(sent.from, sent.to))
    post(sent)
  }
  return (durationMs) => {
    for (const endMs = bench.nowMs + durationMs; bench.nowMs < endMs;) {
      bench.elapse(10, (sent) => (due.get(sent) ?? 0) <= bench.nowMs)
    }
  }
}
