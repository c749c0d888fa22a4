// What a run is asked for, and what it says afterwards: the face of the simulator towards commands and tests.

import type { ProtocolName } from '../kernel/ids.ts'
import type { HotstuffRule } from '../kernel/parameters.ts'

/** Which families of faults may be drawn. Each run draws its own subset and intensity from them (swarm testing). */
export type FaultFamily = 'none' | 'network' | 'process' | 'disk' | 'all'
export const faultFamilies: readonly FaultFamily[] = ['none', 'network', 'process', 'disk', 'all']

export interface SimulationOptions {
  protocol: ProtocolName
  replicas: number
  seed: number
  faults: FaultFamily
  /** How many replicas lie, where members may: at most as many as the protocol survives. Null or absent: drawn. */
  adversaries?: number | null
  /** How they do it. Null or absent: drawn for each. */
  behaviour?: string | null
  /** hotstuff: which rule commits. Null or absent: a network file's default. */
  rule?: HotstuffRule | null
  /** Gets a line for each thing that happens; absent in sweeps, because lines cost time. It must not change the history. */
  trace?: (line: TraceLine) => void
}

export interface TraceLine {
  timeUs: number
  /** `replica 3`, `client 2`, `network`, `world`. */
  actor: string
  what: string
  detail: string
}

export interface Violation {
  /** A stable name in kebab-case: `agreement`, `linearizability`, `liveness`, … */
  invariant: string
  /** One clear sentence: who, what, when. */
  explanation: string
  timeUs: number
}

/** Counts of what happened, by name. Names are stable: minima and tables refer to them. */
export type Coverage = Record<string, number>

export interface SeedReport {
  seed: number
  verdict: 'passed' | 'violated' | 'excused'
  violation: Violation | null
  /** From the closed list in excuses.ts, computed from the simulator's world and never from a replica's report. */
  excuse: string | null
  /** Things that happened in the world: deliveries, timers, disk completions, client actions, faults. */
  events: number
  virtualMs: number
  committedOperations: number
  coverage: Coverage
  /** Of everything that happened, in order: equal for equal seeds, on every machine. */
  traceHash: string
}

/** What a sweep of seeds must have seen at least once (or as often as said) before its silence means anything. */
export interface CoverageMinimum {
  name: string
  /** At least so many in every 1,000 seeds of a sweep. */
  perThousandSeeds: number
  why: string
}
