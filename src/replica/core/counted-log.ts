// The log, and how much it was given: what a snapshot would save at the next start is told by that.

import type { Persisted } from '../../kernel/protocol.ts'
import type { DriverLog } from '../driver/driver.ts'

export interface ReplicaLog extends DriverLog {
  /** What a start has to read. */
  readonly bytes: number
  /** Forgets whole segments that hold only records below this one. */
  cut(below: Persisted, done: () => void): void
}

export class CountedLog implements DriverLog {
  readonly #log: ReplicaLog
  /** Found at the start, and appended since: a replica that is often restarted must come to a snapshot too. */
  bytes: number

  constructor(log: ReplicaLog) {
    this.#log = log
    this.bytes = log.bytes
  }

  get backedUp(): boolean {
    return this.#log.backedUp
  }

  append(record: Uint8Array): Persisted {
    this.bytes += record.length
    return this.#log.append(record)
  }

  appendSoon(record: Uint8Array): Persisted {
    this.bytes += record.length
    return this.#log.appendSoon(record)
  }

  flush(): void {
    this.#log.flush()
  }

  hurry(): void {
    this.#log.hurry()
  }

  read(sequence: Persisted): Uint8Array | null {
    return this.#log.read(sequence)
  }

  cut(below: Persisted): void {
    this.#log.cut(below, () => {})
  }
}
