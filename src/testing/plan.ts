/**
 * One history to check: commands in their order, and with each what happens around it. Whatever is drawn hangs on a command, so that a
 * history from which commands were taken out is a history too.
 */

import { createRandom, type Random } from '../kernel/random.ts'
import { Fault, messageOf } from './finding.ts'
import type { ResolvedOptions } from './options.ts'

export interface PlannedCommand<Command, Query> {
  command: Command
  /** Which of the clients sends it. */
  client: number
  /** Proposed time since the command before. Negative: a leader's clock was behind. */
  elapsedMs: number
  endsBlock: boolean
  /** Once the block is executed, the machine starts again from the snapshot of the next checkpoint. */
  restarts: boolean
  /** Before its block, it is tried in a transaction that is undone. */
  aborts: boolean
  /** Asked after its block. */
  queries: readonly Query[]
}

export interface Plan<Command, Query> {
  commands: readonly PlannedCommand<Command, Query>[]
  /** Blocks from one checkpoint to the next. */
  intervalHeights: number
}

export function drawPlan<Command, Query, Result>(
  options: ResolvedOptions<Command, Query, Result>,
  run: number,
): Plan<Command, Query> {
  const random = createRandom(`check ${options.seed} ${run}`)
  const blockCommands = random.pick([1, 3, 10])
  const commands = Array.from({ length: options.commandsPerRun }, () => ({
    command: drawn('commands', options.commands, random.fork('command')),
    client: random.below(options.clients.length),
    elapsedMs: random.pick([0, 1, 40, 1000, 86_400_000, -5]),
    endsBlock: random.chance(1, blockCommands),
    restarts: random.chance(1, 12),
    aborts: random.chance(1, 3),
    queries: options.queries === null ? [] : drawQueries(options.queries, random),
  }))
  return { commands, intervalHeights: random.pick([1, 1, 2, 4]) }
}

function drawQueries<Query>(queries: (random: Random) => Query, random: Random): Query[] {
  return Array.from({ length: random.below(3) }, () => drawn('queries', queries, random.fork('query')))
}

function drawn<Value>(name: 'commands' | 'queries', draw: (random: Random) => Value, random: Random): Value {
  try {
    return draw(random)
  } catch (cause) {
    throw new Fault('commands', `option ${name} threw: ${messageOf(cause)}`, 0)
  }
}
