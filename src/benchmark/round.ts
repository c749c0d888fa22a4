// What is run in one process of its own, and what comes back as lines of JSON: one system is started, and a list of points is measured on it.

import type { Counters, Setup } from './system.ts'

export interface Round {
  /** A system's name; see systems/table.ts. */
  system: string
  setup: Setup
  /** Before the first point, one after another. */
  warmUp?: readonly WarmUp[]
  points: readonly Point[]
  /** After the last point the system's own check of itself is run. */
  check?: boolean
  /** Key names and what else is drawn depend on it alone. */
  seed: number
}

/** A closed loop that is not measured, with the operations and the clients of the first point. */
export interface WarmUp {
  kind: 'put' | 'get'
  outstanding: number
  seconds: number
}

export interface Point {
  kind: 'put' | 'get' | 'transaction'
  /** Closed loop: so many operations are under way at any moment. Open loop: `perSecond` begin each second, whatever becomes of those before. */
  load: { loop: 'closed'; outstanding: number } | { loop: 'open'; perSecond: number }
  /** Of the value. */
  operationBytes: number
  /** Independent clients that share the load. */
  clients: number
  /** Puts in a transaction. */
  transactionPuts?: number
  warmUpSeconds: number
  seconds: number
  /** What happens at a third of the time. */
  failure?: 'leader-killed' | 'slow-replica' | 'lying-replica'
}

export interface PointResult {
  point: Point
  /** As measured, not as asked for. */
  seconds: number
  operations: number
  failed: number
  /** See latency-histogram.ts. In open loops it counts from when an operation should have begun. */
  latency: EncodedHistogram
  /** CPU of each process, in the order of the system's, and of the load generator. */
  cpuSeconds: { processes: number[]; generator: number }
  /** What was counted meanwhile, by replica. */
  counters: (Counters | null)[]
  /** With a failure: operations that ended, in steps of 100 ms. */
  timeline?: number[]
}

/** Raw: bucket numbers with their counts, both as they are in the histogram, so that reports can be put together again. */
export interface EncodedHistogram {
  significantBits: number
  counts: [bucket: number, count: number][]
}

export type RoundLine =
  | { kind: 'started'; version: string; processes: string[] }
  | { kind: 'measured'; result: PointResult }
  | { kind: 'checked'; words: string }
  | { kind: 'failed'; sentence: string }
