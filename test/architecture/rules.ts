// Who may import whom, and what the pure rooms may not touch (docs/architecture.md). All rules stand here; .oxlintrc.json repeats
// the part that it can check, so that an editor shows it, and a test holds the two together.

export interface Room {
  may: readonly string[] | 'anything'
  mayNot?: readonly string[]
  pure: boolean
  /** May import node: modules. */
  node?: boolean
  packages?: readonly string[]
}

const words = ['kernel', 'wire']
const libp2pPackages = [
  'libp2p',
  '@libp2p/interface',
  '@libp2p/crypto',
  '@libp2p/peer-id',
  '@libp2p/websockets',
  '@chainsafe/libp2p-noise',
  '@chainsafe/libp2p-yamux',
  '@multiformats/multiaddr',
  'it-pipe',
]
const pureRooms = [
  'kernel',
  'wire',
  'protocols/raft',
  'execution',
  'storage/log',
  'storage/snapshots',
  'storage/evidence',
  'replica/driver',
  'replica/pool',
  'replica/checkpoints',
  'replica/fetching',
  'network/link',
  'client/core',
]
const nodeRooms = ['crypto/node', 'storage/node', 'network/node']
const protocols = ['protocols/raft', 'protocols/pbft', 'protocols/hotstuff']

/**
 * A room is a folder below src/; a file belongs to the longest of these names that it lies in, or that it is. Rooms that are still to
 * be built stand here already: no file is ever without rules.
 */
export const rooms: Readonly<Record<string, Room>> = {
  kernel: { may: ['wire'], pure: true },
  wire: { may: [], pure: true },
  'protocols/raft': { may: words, pure: true },
  'protocols/pbft': { may: words, pure: true },
  'protocols/hotstuff': { may: words, pure: true },
  execution: { may: words, pure: true },
  'storage/log': { may: words, pure: true },
  'storage/snapshots': { may: [...words, 'storage/log'], pure: true },
  'storage/evidence': { may: [...words, 'storage/log'], pure: true },
  'replica/driver': { may: words, pure: true },
  'replica/pool': { may: words, pure: true },
  // The Merkle rule of a state is the executor's.
  'replica/checkpoints': { may: [...words, 'execution'], pure: true },
  // Both hand out what others lack, at a bounded rate.
  'replica/fetching': { may: [...words, 'replica/checkpoints'], pure: true },
  // The core wires pure rooms together, and is as pure as they are.
  'replica/core': {
    may: [
      ...words,
      'execution',
      'replica/driver',
      'replica/pool',
      'replica/checkpoints',
      'replica/fetching',
      'storage/log',
      'storage/snapshots',
    ],
    pure: true,
  },
  replica: { may: 'anything', mayNot: ['cli', 'simulator', 'benchmark', 'operations'], pure: false, node: true },
  'crypto/portable': { may: words, pure: false, packages: ['@noble/ed25519', '@noble/hashes'] },
  'crypto/node': { may: [...words, 'crypto/portable'], pure: false, node: true },
  'storage/node': { may: [...words, 'storage/log', 'storage/snapshots', 'storage/evidence'], pure: false, node: true },
  'network/link': { may: words, pure: true },
  // What both kinds of host share: our ports on libp2p's streams and connections.
  'network/libp2p': { may: [...words, 'network/link'], pure: false, packages: libp2pPackages },
  'network/node': {
    may: [...words, 'network/link', 'network/libp2p'],
    pure: false,
    node: true,
    packages: [...libp2pPackages, '@libp2p/tcp'],
  },
  'network/browser': { may: [...words, 'network/link', 'network/libp2p'], pure: false, packages: libp2pPackages },
  'client/core': { may: words, pure: true },
  client: { may: [...words, 'network/link', 'client/core', 'execution'], pure: false },
  'client/browser.ts': {
    may: [
      ...words,
      'network/link',
      'network/libp2p',
      'network/browser',
      'client',
      'client/core',
      'crypto/portable',
      'execution',
    ],
    pure: false,
  },
  'client/node.ts': { may: 'anything', mayNot: ['cli', 'simulator', 'benchmark'], pure: false, node: true },
  operations: { may: 'anything', mayNot: nodeRooms, pure: false, node: true },
  benchmark: { may: 'anything', mayNot: nodeRooms, pure: false, node: true },
  simulator: {
    may: [...pureRooms, ...protocols, 'replica/core', 'crypto/portable'],
    pure: true,
  },
  // For application authors. Not pure: it puts a clock and randomness of its own in the place of the host's while a machine runs.
  testing: { may: [...words, 'execution', 'simulator', 'crypto/portable'], pure: false },
  cli: { may: 'anything', pure: false, node: true },
  'index.ts': { may: 'anything', pure: false },
}

/** What users import. Only these hand on what other files export. */
export const publicEntries: readonly string[] = ['index.ts', 'client/node.ts', 'client/browser.ts', 'testing/index.ts']

/** Names that the host of a script defines, and that mean something else, or something new, on each run or machine. */
export const hostGlobals: Readonly<Record<string, string>> = {
  Date: 'a clock: time comes in as an input',
  performance: 'a clock: time comes in as an input',
  Temporal: 'a clock: time comes in as an input',
  setTimeout: 'a timer: arm one through the effects',
  setInterval: 'a timer: arm one through the effects',
  setImmediate: 'a timer: arm one through the effects',
  clearTimeout: 'a timer: arm one through the effects',
  clearInterval: 'a timer: arm one through the effects',
  clearImmediate: 'a timer: arm one through the effects',
  queueMicrotask: 'a timer: arm one through the effects',
  AbortSignal: 'a timer: arm one through the effects',
  Promise: "a promise: the order of its callbacks is nobody's to say",
  process: 'the host: whatever is needed comes in as a port',
  global: 'the host: whatever is needed comes in as a port',
  globalThis: 'the host: whatever is needed comes in as a port',
  console: 'the host: whatever is needed comes in as a port',
  navigator: 'the host: whatever is needed comes in as a port',
  crypto: 'the host: whatever is needed comes in as a port',
  fetch: 'the host: whatever is needed comes in as a port',
  Buffer: 'the host: bytes are Uint8Arrays',
  require: 'the host: imports stand at the top',
  structuredClone: 'the host: what is copied is copied field by field',
  eval: 'code made from text',
  Function: 'code made from text',
  WebAssembly: 'code made from bytes',
  Worker: 'another thread',
  MessageChannel: 'another thread',
  SharedArrayBuffer: 'another thread',
  Atomics: 'another thread',
  WeakRef: 'the garbage collector',
  FinalizationRegistry: 'the garbage collector',
  Intl: 'the locale of the machine',
}

/** What else a pure room may not say, each with the reason that the failing test gives. */
export const impure: readonly { pattern: RegExp; why: string }[] = [
  ...Object.entries(hostGlobals).map(([name, why]) => ({
    // Not a property, a method or a field of that name: those are ours. The linter looks at scopes and is exact; this holds without it.
    pattern: new RegExp(String.raw`(?<![.\w$#])${name}\b(?!\s*(\?)?:)(?!\([^()]*\)\s*[:{])(?!\(\w+: )`),
    why,
  })),
  {
    pattern: /\bMath\b(?!\.(?:abs|ceil|clz32|floor|fround|imul|max|min|round|sign|sqrt|trunc)\b)/,
    why: 'randomness, or a function whose last bits differ between machines',
  },
  // Whole powers of two are exact everywhere.
  { pattern: /(?<!(?<![\w.])2\s*)\*\*/, why: 'a power, whose last bits differ between machines' },
  { pattern: /\b(async|await)\b/, why: "a promise: the order of its callbacks is nobody's to say" },
  { pattern: /\bimport\s*\(/, why: 'an import that waits: imports stand at the top' },
  { pattern: /\bimport\.meta\b/, why: 'the host: where a file lies is not its business' },
  { pattern: /\.(localeCompare|toLocale\w*|normalize)\b/, why: 'the locale of the machine, or the age of its Unicode' },
  { pattern: /\.(stack|captureStackTrace)\b/, why: 'a stack, which each engine writes in its own way' },
]
