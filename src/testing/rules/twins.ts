/**
 * One history, six machines. The first is the reference; each other is treated in one way of its own, and must come to the same
 * results, snapshots and executed headers all the same.
 */

import type { StateMachineDefinition } from '../../execution/state-machine.ts'
import { createRandom } from '../../kernel/random.ts'
import { application, chunkDifference, differenceOf } from '../comparison.ts'
import type { Counts } from '../counts.ts'
import { messageOf, textOf, type Rule } from '../finding.ts'
import { MachineRun, type ExecutedRecord } from '../machine-run.ts'
import type { ResolvedOptions } from '../options.ts'
import type { EncodedCommand, PlannedBlock } from '../planned-blocks.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

export interface History<Command, Query, Result> {
  readonly definition: StateMachineDefinition<Command, Query, Result>
  readonly options: ResolvedOptions<Command, Query, Result>
  readonly intervalHeights: number
  readonly blocks: readonly PlannedBlock<Command, Query>[]
}

type Run<Command, Query, Result> = MachineRun<Command, Query, Result>
type Records = readonly ExecutedRecord[]

/** The machine by itself: it throws nothing, its snapshots keep their rules, and the invariant holds. */
export function referenceRun<C, Q, R>(history: History<C, Q, R>, counts: Counts): Records {
  const run = startRun(history, 1)
  const records = history.blocks.map((planned) => {
    const record = run.execute(planned, true)
    if (record.state !== null) counts.snapshots++
    checkInvariant(history, run)
    return record
  })
  run.checkHeldViews()
  counts.blocks += records.length
  return records
}

export function checkDeterminism<C, Q, R>(history: History<C, Q, R>, records: Records): void {
  const run = startRun(history, 2)
  replay(history, records, run, 'determinism', 'two machines that were given the same blocks differ', () => {})
}

/**
 * Replicas go through a view bit by bit, while they execute what follows: here as late as they may, which is before the next checkpoint.
 * With a checkpoint at every height there is no such time.
 */
export function checkLateSnapshots<C, Q, R>(history: History<C, Q, R>, records: Records): void {
  if (history.intervalHeights === 1) return
  const run = startRun(history, 3)
  for (const planned of history.blocks) {
    if (run.awaitsView) checkView(run, records)
    run.executeOnly(planned)
  }
  checkView(run, records)
}

function checkView<C, Q, R>(run: Run<C, Q, R>, records: Records): void {
  const view = run.finishView()
  if (view === null) return
  const { height, chunks } = view
  const difference = chunkDifference(application(records[height - 1]!.state!), application(chunks))
  if (difference === null) return
  throw run.fault(
    'late-snapshot',
    `the view taken at height ${height} was gone through at once and, on another machine, after later blocks, and is not the same: ${difference}; snapshot() is called before later commands, what it gives is read after them`,
  )
}

export function checkRestore<C, Q, R>(history: History<C, Q, R>, records: Records, counts: Counts): void {
  const run = startRun(history, 4)
  let restarts = false
  const words = 'a machine that was restored from a snapshot differs from the one that was not'
  replay(history, records, run, 'restore', words, ({ commands }, record) => {
    restarts ||= commands.some((command) => command.restarts)
    if (!restarts || record.state === null) return
    restarts = false
    counts.restores++
    const refused = run.restoreFrom(record)
    if (refused === null) return
    throw run.fault(
      'restore',
      `restored from the snapshot of height ${record.header.height}: ${refusalText(run, record, refused)}`,
    )
  })
}

export function checkQueries<C, Q, R>(history: History<C, Q, R>, records: Records, counts: Counts): void {
  if (history.options.queries === null) return
  const run = startRun(history, 5)
  const words = 'a machine that was asked queries differs from the one that was not'
  replay(history, records, run, 'queries', words, ({ commands }) => {
    for (const { queries, encodedQueries } of commands) {
      for (const [index, query] of queries.entries()) {
        counts.queries++
        checkQuery(run, query, encodedQueries[index]!)
      }
    }
  })
}

/** Transactions that were begun and undone between blocks have never been. */
export function checkRollback<C, Q, R>(history: History<C, Q, R>, records: Records, counts: Counts): void {
  const run = startRun(history, 6)
  if (!run.machine.transactional) return
  const words = 'a machine that undid a transaction differs from the one that never began it'
  replay(history, records, run, 'rollback', words, (planned) => {
    const next = history.blocks[planned.block.header.height]
    for (const command of next?.commands ?? []) {
      if (!command.aborts || history.definition.validate(command.bytes) !== null) continue
      counts.rollbacks++
      tryAndUndo(history, run, next!, command)
    }
  })
}

function startRun<C, Q, R>({ definition, options, intervalHeights }: History<C, Q, R>, host: number): Run<C, Q, R> {
  return new MachineRun(definition, intervalHeights, options.clients, host)
}

function replay<C, Q, R>(
  { definition, blocks }: History<C, Q, R>,
  records: Records,
  run: Run<C, Q, R>,
  rule: Rule,
  words: string,
  after: (planned: PlannedBlock<C, Q>, record: ExecutedRecord) => void,
): void {
  for (const [index, planned] of blocks.entries()) {
    const record = run.execute(planned, false)
    const difference = differenceOf(planned, records[index]!, record, definition.result)
    if (difference !== null) throw run.fault(rule, `${words}: ${difference}`)
    after(planned, records[index]!)
  }
}

function checkInvariant<C, Q, R>({ definition, options }: History<C, Q, R>, run: Run<C, Q, R>): void {
  if (options.invariant === null) return
  const ask = (query: Q): R => {
    const answer = definition.result.decode(run.machine.query(definition.query.encode(query)))
    if (!answer.ok) throw new TypeError(answer.reason)
    return answer.value
  }
  let broken: string | null
  try {
    broken = options.invariant(ask)
  } catch (cause) {
    throw run.fault('invariant', `the invariant threw: ${messageOf(cause)}`)
  }
  if (broken !== null) throw run.fault('invariant', broken)
}

function checkQuery<C, Q, R>(run: Run<C, Q, R>, query: Q, bytes: Uint8Array): void {
  const before = run.stateNow('queries')
  const answer = run.query(query, bytes.slice())
  const again = run.query(query, bytes.slice())
  const changed = chunkDifference(before, run.stateNow('queries'))
  if (changed !== null) throw run.fault('queries', `the query ${textOf(query)} changed the state: ${changed}`)
  if (!equalBytes(answer, again)) {
    throw run.fault('queries', `the query ${textOf(query)} was asked twice of one state and answered in two ways`)
  }
}

function tryAndUndo<C, Q, R>(
  { options }: History<C, Q, R>,
  run: Run<C, Q, R>,
  { block }: PlannedBlock<C, Q>,
  { command, bytes, client }: EncodedCommand<C, Q>,
): void {
  const { machine } = run
  const before = run.stateNow('rollback')
  const { height, timestamp } = block.header
  const random = createRandom(`undone ${height}`)
  const context = { height, timestamp, index: 0, client: options.clients[client]!, random }
  try {
    run.host.run(() => {
      machine.begin()
      try {
        machine.apply(bytes.slice(), context)
      } catch {
        // What it throws is for rollback to undo.
      }
      machine.rollback()
    })
  } catch (cause) {
    throw run.fault('rollback', `undoing the command ${textOf(command)} threw: ${messageOf(cause)}`)
  }
  const changed = chunkDifference(before, run.stateNow('rollback'))
  if (changed !== null)
    throw run.fault('rollback', `the command ${textOf(command)} was undone, and left traces: ${changed}`)
}

/** "Another root" says little: what the restored machine's own snapshot says instead is in the last machine that was made. */
function refusalText<C, Q, R>(run: Run<C, Q, R>, record: ExecutedRecord, refused: string): string {
  if (!refused.includes('another root')) return refused
  const expected = record.state!.filter(({ part }) => part === 'application')
  const difference = chunkDifference(expected, run.stateNow('restore'))
  return difference === null ? refused : `its next snapshot is another one: ${difference}`
}
