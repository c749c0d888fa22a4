// Who may import whom, and what the pure rooms may not touch (docs/architecture.md). All rules stand here.

/** A room is the longest of these prefixes of a file's path below src/. */
export const rooms = {
  kernel: { may: ['wire'], pure: true },
  wire: { may: [], pure: true },
  'protocols/raft': { may: ['kernel', 'wire'], pure: true },
  execution: { may: ['kernel', 'wire'], pure: true },
  'storage/log': { may: ['kernel', 'wire'], pure: true },
  'replica/driver': { may: ['kernel', 'wire'], pure: true },
  'replica/pool': { may: ['kernel', 'wire'], pure: true },
  // The core wires pure rooms together, and is as pure as they are.
  replica: { may: ['kernel', 'wire', 'execution', 'replica/driver', 'replica/pool', 'storage/log'], pure: true },
  'crypto/portable': { may: ['kernel', 'wire'], pure: false, packages: ['@noble/ed25519', '@noble/hashes'] },
  'crypto/node': { may: ['kernel', 'wire', 'crypto/portable'], pure: false, node: true },
  simulator: {
    may: [
      'kernel',
      'wire',
      'protocols/raft',
      'execution',
      'storage/log',
      'replica',
      'replica/driver',
      'replica/pool',
      'crypto/portable',
    ],
    pure: true,
  },
  cli: { may: 'anything', pure: false, node: true },
  // The public entry, src/index.ts.
  '': { may: 'anything', pure: false },
} as const satisfies Record<string, Room>

export interface Room {
  may: readonly string[] | 'anything'
  pure: boolean
  /** May import node: modules. */
  node?: boolean
  packages?: readonly string[]
}

/** What a pure room may not say, each with the reason that the failing test gives. */
export const impure: readonly { pattern: RegExp; why: string }[] = [
  { pattern: /\b(Date|performance|Temporal)\b/, why: 'a clock: time comes in as an input' },
  { pattern: /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/, why: 'a timer: arm one through the effects' },
  { pattern: /\bMath\.random\b/, why: 'randomness: it comes in as a port' },
  {
    pattern:
      /\bMath\.(sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|exp|expm1|log|log2|log10|log1p|pow|cbrt|hypot)\b/,
    why: 'a transcendental function: its last bits differ between machines',
  },
  { pattern: /\b(async|await|Promise)\b/, why: "a promise: the order of its callbacks is nobody's to say" },
  {
    pattern: /\b(process|globalThis|console|navigator|crypto|Buffer)\s*[.(]/,
    why: 'the host: whatever is needed comes in as a port',
  },
  {
    pattern: /\b(WeakRef|FinalizationRegistry|SharedArrayBuffer|Atomics|Worker)\b/,
    why: 'the garbage collector or another thread',
  },
  { pattern: /\b(localeCompare|toLocale\w*|Intl)\b/, why: 'the locale of the machine' },
]
