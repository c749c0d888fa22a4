// A planted bug breaks exactly one rule in a temporary copy of the sources; its finder must report it. A rule whose bug nobody
// finds is a rule that no test protects (architecture.md §13).

import type { HotstuffRule } from '../../src/kernel/parameters.ts'

export interface PlantedBug {
  /** Kebab-case; begins with the line of pitfalls.md that it stands for, if there is one. */
  name: string
  /** What is wrong in the copy, in one sentence. */
  title: string
  /** The source file that is changed. */
  file: string
  /** Must stand in the file exactly once. */
  find: string
  replace: string
  finder: Finder
}

export type Finder =
  /** The simulator, within 2,000 default seeds and 5 CPU minutes; `seed` is the first that it found, and CI replays it. */
  | SimulatorFinder
  /** Test files of which at least one test must fail: scenarios, vectors, properties. */
  | { kind: 'tests'; files: readonly string[] }
  /** Real replicas whose disk forgets with SIGKILL what was not synced (test/processes/power-loss): so many kills find it. */
  | { kind: 'power-loss'; replicas: 1 | 3; kills: number; seed: number }

export interface SimulatorFinder {
  kind: 'simulator'
  /** Default: raft. Where members may lie, whether they do and how is drawn by the seed. */
  protocol?: 'raft' | 'pbft' | 'hotstuff'
  /** hotstuff. Default: two-chain. */
  rule?: HotstuffRule
  replicas: number
  faults: 'none' | 'network' | 'process' | 'disk' | 'all'
  seed: number
}

export const seedsMax = 2000
export const cpuSecondsMax = 300
