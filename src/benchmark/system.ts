// What a benchmark drives: a replicated store that can be started, written to, read from, counted, and stopped. Whoever wants another system
// beside ours implements `System` for it.

export interface System {
  /** As in plans, reports and plots: `raft`, `hotstuff/three-chain`, `etcd`. */
  readonly name: string
  /** What runs, for the report; throws an error that says how to install it where it is missing. */
  version(): Promise<string>
  /** Resolves when all replicas run and one of them would answer. */
  start(setup: Setup): Promise<RunningSystem>
}

export interface Setup {
  /** An empty folder for all of its files; removed afterwards by who made it. Which disk it lies on decides what fsync costs. */
  dir: string
  replicas: number
  /**
   * False: nothing waits for a disk, because the folder lies in memory (tmpfs, such as /dev/shm), where a sync is free: the same for every
   * system, with none of its code or settings changed. True: it does not. round-program.ts refuses a folder that is not as is said here.
   */
  fsync: boolean
  /** True: the first process is one that `lie` can turn. Systems that cannot be lied to need not look. */
  liar?: boolean
}

export interface RunningSystem {
  /** In the order of the replicas. */
  readonly processes: readonly { name: string; pid: number }[]
  /** So many independent clients, each with connections (and where it matters a key, signatures, a session) of its own. */
  connect(clients: number): Promise<SystemClient[]>
  /** Of each replica since it started, in the order of the processes; null for what a system does not tell. */
  counters(): Promise<(Counters | null)[]>
  /** Who leads, as an index into the processes; null where nobody does, or all take turns. */
  leader(): Promise<number | null>
  /** From now on the first process lies. Absent where nobody can: the system was started without a liar, or believes everybody. */
  lie?(): void
  /** Runs what the system brings to check its own speed, and answers with its verdict, a few lines. Absent where it brings nothing. */
  check?(): Promise<string>
  stop(): Promise<void>
}

export interface SystemClient {
  /** Resolves when it is committed: durable at a quorum, unless the setup says otherwise. */
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>
  /** A linearizable read. */
  get(key: Uint8Array): Promise<unknown>
  /** All in one transaction, where a system has them. */
  putAll?(entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Promise<unknown>
  close(): Promise<void>
}

/** Null: the system does not tell. */
export interface Counters {
  /** Calls of fsync or fdatasync. */
  fsyncs: number | null
  /** To other replicas. */
  framesSent: number | null
  bytesSent: number | null
  /** To other replicas, by name. */
  messagesSent: Readonly<Record<string, number>> | null
  signaturesMade: number | null
  signaturesChecked: number | null
  /** Since the last question: how much later than asked a timer fired, ninety-ninth percentile. */
  eventLoopDelayP99Ms: number | null
}
