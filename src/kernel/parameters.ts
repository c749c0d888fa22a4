// What a network file may tune, with defaults, units and bounds. Everything agreed: the same on every replica of an epoch.

/** How requests are gathered into blocks. */
export interface BatchParameters {
  /** Operations in one block. */
  operationsMax: number
  /** Encoded payload of one block. */
  bytesMax: number
  /** How long a leader waits for a block to fill when others are in flight. 0: not at all. */
  lingerMs: number
}

/** How far things may run ahead of each other. */
export interface FlowParameters {
  /** Blocks that a leader has proposed and that are not decided. */
  pipelineBlocksMax: number
  /** Blocks decided and not executed: beyond it a leader proposes nothing and no request timer runs. */
  executionLagBlocksMax: number
}

/** Timers of all protocols: a base that grows by a factor with each failure, up to a cap, and falls back on progress. */
export interface TimerParameters {
  /** raft: least election timeout. pbft, hotstuff: base of the view timeout. */
  timeoutMsBase: number
  timeoutMsMax: number
  /** How often a leader says that it is there. */
  heartbeatMs: number
  /** How often something unanswered is sent again. */
  retransmitMs: number
}

export interface SessionParameters {
  /** Replies kept for each session (architecture.md §10: W). */
  repliesKept: number
  /** Heights after which an opening is void, and an idle session may be evicted (H). */
  lifetimeHeights: number
  /** Sessions of one client key. */
  perClientMax: number
  /** Sessions in all. */
  totalMax: number
}

export interface CheckpointParameters {
  /** A checkpoint every so many heights (pbft: K). */
  intervalHeights: number
}

export interface RaftParameters {
  /** Entries sent to one follower and not acknowledged. */
  inflightEntriesMax: number
  /** Bytes sent to one follower and not acknowledged. */
  inflightBytesMax: number
  preVote: boolean
  checkQuorum: boolean
  /**
   * 0: every linearizable read asks a quorum. Else the leader answers by a lease, and no member's clock may gain more than this, in
   * thousandths, on that of another.
   */
  leaseDriftPerMille: number
}

export interface PbftParameters {
  /** Sequence numbers above the last checkpoint that may be under way (PBFT §4.2: L): a checkpoint interval and a pipeline, or more. */
  windowBlocks: number
  /** How far a proposed timestamp may lie from a voter's own clock. */
  clockToleranceMs: number
}

/** Which certified nodes commit a block (src/protocols/hotstuff/rules.ts). */
export type HotstuffRule = 'two-chain' | 'three-chain'
/** Who leads a view: each voter in turn, or for several views, or but for those that have stopped voting. */
export type HotstuffLeaders = 'round-robin' | 'tenure' | 'reputation'

export interface HotstuffParameters {
  rule: HotstuffRule
  leaders: HotstuffLeaders
  /** `tenure`: views that one leader has in a row. */
  tenureViews: number
  /** How far a proposed timestamp may lie from a voter's own clock. */
  clockToleranceMs: number
}

/** How the signature of an envelope is asked for: from the client, or the link vouches for it (raft only). */
export type EnvelopeSignatures = 'required' | 'link'

export interface Parameters {
  envelopeSignatures: EnvelopeSignatures
  batch: BatchParameters
  flow: FlowParameters
  timers: TimerParameters
  sessions: SessionParameters
  checkpoints: CheckpointParameters
  raft: RaftParameters
  pbft: PbftParameters
  hotstuff: HotstuffParameters
}

interface Bound {
  default: number
  min: number
  max: number
}

/** One of these words. */
interface Choice<Word> {
  default: Word
  choices: readonly Word[]
}

type Bounds<Group> = {
  [Name in keyof Group]: Group[Name] extends number
    ? Bound
    : Group[Name] extends string
      ? Choice<Group[Name]>
      : { default: Group[Name] }
}

/** Every default with its bounds; the network file names only what differs. */
export const parameterBounds = {
  batch: {
    operationsMax: { default: 1000, min: 1, max: 16_384 },
    bytesMax: { default: 1024 * 1024, min: 1024, max: 4 * 1024 * 1024 },
    lingerMs: { default: 10, min: 0, max: 1000 },
  },
  flow: {
    pipelineBlocksMax: { default: 16, min: 1, max: 1024 },
    executionLagBlocksMax: { default: 128, min: 1, max: 16_384 },
  },
  timers: {
    timeoutMsBase: { default: 1000, min: 10, max: 60_000 },
    timeoutMsMax: { default: 20_000, min: 10, max: 600_000 },
    heartbeatMs: { default: 100, min: 1, max: 60_000 },
    retransmitMs: { default: 250, min: 1, max: 60_000 },
  },
  sessions: {
    repliesKept: { default: 1024, min: 1, max: 65_536 },
    lifetimeHeights: { default: 100_000, min: 16, max: 1_000_000_000 },
    perClientMax: { default: 16, min: 1, max: 65_536 },
    totalMax: { default: 65_536, min: 1, max: 1_048_576 },
  },
  checkpoints: {
    intervalHeights: { default: 128, min: 1, max: 1_000_000 },
  },
  raft: {
    inflightEntriesMax: { default: 64, min: 1, max: 4096 },
    inflightBytesMax: { default: 8 * 1024 * 1024, min: 64 * 1024, max: 256 * 1024 * 1024 },
    preVote: { default: true },
    checkQuorum: { default: true },
    leaseDriftPerMille: { default: 0, min: 0, max: 500 },
  },
  pbft: {
    windowBlocks: { default: 160, min: 2, max: 1024 },
    clockToleranceMs: { default: 5_000, min: 10, max: 600_000 },
  },
  hotstuff: {
    rule: { default: 'two-chain', choices: ['two-chain', 'three-chain'] },
    leaders: { default: 'round-robin', choices: ['round-robin', 'tenure', 'reputation'] },
    tenureViews: { default: 4, min: 1, max: 1024 },
    clockToleranceMs: { default: 5_000, min: 10, max: 600_000 },
  },
} as const satisfies { [Group in Exclude<keyof Parameters, 'envelopeSignatures'>]: Bounds<Parameters[Group]> }

/** The defaults for a protocol. */
export function defaultParameters(envelopeSignatures: EnvelopeSignatures): Parameters {
  const defaults: Record<string, Record<string, unknown>> = {}
  for (const [group, bounds] of Object.entries(parameterBounds)) {
    defaults[group] = Object.fromEntries(Object.entries(bounds).map(([name, bound]) => [name, bound.default]))
  }
  return { envelopeSignatures, ...defaults } as unknown as Parameters
}
