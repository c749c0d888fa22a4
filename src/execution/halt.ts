import type { Height } from '../kernel/ids.ts'

/**
 * The state machine threw, and cannot undo what it had done: other replicas may have come to something else, so this one executes
 * nothing more. Skipping the operation is a decision of the network's operators, not of a replica.
 */
export class ExecutionHaltedError extends Error {
  readonly code = 'ERR_EXECUTION_HALTED'
  override readonly name = 'ExecutionHaltedError'
  readonly height: Height
  /** The operation's place in the block; null when it was no operation's fault. */
  readonly index: number | null

  constructor(height: Height, index: number | null, cause: unknown) {
    const where = index === null ? `height ${height}` : `height ${height}, operation ${index}`
    super(`execution halted at ${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.height = height
    this.index = index
  }
}
