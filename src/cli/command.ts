import type { CommandSpec } from './options.ts'
import type { Output } from './output.ts'

export interface Command {
  spec: CommandSpec
  /** Resolves to the exit code. Throws a UsageError for wrong use. */
  run(args: readonly string[], output: Output): Promise<number>
}
