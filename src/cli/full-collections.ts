/**
 * How often a replica's process collects all of its garbage. V8 takes buffers, which lie outside of its heap, for growth of the heap, and lets
 * a small one grow by as much as it holds before it marks all of it anew. A replica's heap is small, since its state lies in slabs: 24 MiB
 * of buffers that were let go of brought a full collection about, with large operations a dozen a second, which took 45% of all CPU.
 *
 * Only for processes of our own: whoever embeds a replica decides for theirs (docs/performance.md).
 */

import { getHeapStatistics, setFlagsFromString } from 'node:v8'

const mebibyte = 1024 * 1024
/** What may wait to be collected. */
export const garbageBytes: number = 128 * mebibyte
/** From here on V8's own rule, which knows what collecting takes, lets enough wait. */
export const heapBytesMax: number = 64 * mebibyte
/** A heap changes slowly. */
const intervalMs = 10_000

/** Until the process ends, which this does not hold up. */
export function spareFullCollections(): void {
  const adapt = (): void =>
    setFlagsFromString(`--heap-growing-percent=${growingPercent(getHeapStatistics().used_heap_size)}`)
  adapt()
  setInterval(adapt, intervalMs).unref()
}

/** By how much a heap may grow before all of it is collected; 0: as V8 thinks best. */
export function growingPercent(heapBytes: number): number {
  return heapBytes < heapBytesMax ? Math.round((100 * garbageBytes) / Math.max(heapBytes, 16 * mebibyte)) : 0
}
