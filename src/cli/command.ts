import type { CommandSpec } from './options.ts'
import type { Output } from './output.ts'

export interface Command {
  spec: CommandSpec
  /** Resolves to the exit code. Throws a UsageError for wrong use, and a Failure for what it found bad. */
  run(args: readonly string[], output: Output): Promise<number>
}

/** Commands about one thing, named by two words: the group's, and the last of their own name. */
export interface CommandGroup {
  name: string
  summary: string
  commands: readonly Command[]
}
