// What an audit has found in one directory.

import { toHex } from '../../kernel/hex.ts'
import type { Height } from '../../kernel/ids.ts'

export interface Fault {
  /** Such as `record 17`. */
  where: string
  what: string
}

/** Listed; more are counted. */
const faultsListedMax = 20

export class DirectoryFindings {
  readonly path: string
  readonly replica: number
  readonly faults: Fault[] = []
  faultCount = 0
  records = 0
  bytes = 0
  decided = 0
  gaps = 0
  /** Pieces of evidence that hold. */
  evidence = 0
  tornBytes = 0
  isLocked = false
  abstains = false
  readonly states: { height: Height; isCertified: boolean }[] = []
  readonly #blocks = new Map<Height, string>()

  constructor(path: string, replica: number) {
    this.path = path
    this.replica = replica
  }

  get ok(): boolean {
    return this.faultCount === 0
  }

  fault(where: string, what: string): void {
    this.faultCount++
    if (this.faults.length < faultsListedMax) this.faults.push({ where, what })
  }

  /** A state that follows on a block: the same one as the log has decided, if it has. */
  state(height: Height, blockDigest: Uint8Array, isCertified: boolean): void {
    this.states.push({ height, isCertified })
    const decided = this.#blocks.get(height)
    if (decided !== undefined && decided !== toHex(blockDigest)) {
      this.fault(`snapshot ${height}`, 'it follows on another block than the log has decided')
    }
  }

  block(height: Height, digest: Uint8Array): void {
    this.#blocks.set(height, toHex(digest))
  }
}
