// `quorate wal inspect DIR`: what a log holds, for a person with a question. Writes nothing.

import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { flag, number, parseOptions, UsageError, type CommandSpec } from '../options.ts'
import { table, type Output } from '../output.ts'
import { openOfflineLog, totalsOf, type OfflineLog, type WalRecord, type WalTotals } from '../wal/offline-log.ts'
import { votingSentence } from '../wal/voting-sentence.ts'
import type { LogRefusal, RecoveredLog } from '../../storage/log/recovery.ts'

const spec: CommandSpec = {
  name: 'wal inspect',
  summary: "shows what a replica's log holds",
  usage: 'quorate wal inspect DIR [--records] [--from SEQUENCE] [--limit N] [--json]',
  options: [
    { name: 'records', description: 'prints each record as a line' },
    { name: 'from', value: 'SEQUENCE', description: 'the first record to print', default: '1' },
    { name: 'limit', value: 'N', description: 'records to print at most', default: '100' },
    { name: 'json', description: 'prints JSON: one object, or one a line with --records' },
  ],
  examples: ['quorate wal inspect net/replica-1', 'quorate wal inspect net/replica-1 --records --from 200 --limit 20'],
}

export const walInspectCommand: Command = {
  spec,
  run: (args, output) =>
    Promise.resolve().then(() => {
      const parsed = parseOptions(spec, args)
      const [path, ...rest] = parsed.positionals
      if (path === undefined || rest.length > 0) throw new UsageError('say: wal inspect DIR')
      const from = number(parsed, 'from', 1, 0, Number.MAX_SAFE_INTEGER)
      const limit = number(parsed, 'limit', 100, 1, 1_000_000)
      const json = flag(parsed, 'json')
      const log = openOfflineLog(path)
      if (log.isLocked) output.error('a replica has this log open, or died with it open: it may change meanwhile')
      const { recovered } = log
      if (!recovered.ok) {
        describeFiles(log, output, json, recovered)
        return exitCode.failed
      }
      const isAll = !flag(parsed, 'records')
      const totals = isAll ? totalsOf(log, recovered) : printRecords(log, recovered, { from, limit, json }, output)
      if (isAll) describe(log, recovered, totals, output, json)
      if (totals.unreadable === 0) return exitCode.ok
      output.error(`${totals.unreadable} records are sound and cannot be read: another release wrote them`)
      return exitCode.failed
    }),
}

/** Of a log that is refused, what can be said without believing it. */
function describeFiles(
  { network, replica, segments }: OfflineLog,
  output: Output,
  json: boolean,
  { code, message }: LogRefusal,
): void {
  if (json) return output.out(JSON.stringify({ ok: false, code, message, network, replica, segments }))
  const files = segments.map(({ name, bytes }) => [name, String(bytes)])
  for (const line of table([['network', network], ['replica', String(replica)], ...files])) output.out(line)
  output.error(`${message} (${code})`)
}

function describe(log: OfflineLog, recovered: RecoveredLog, totals: WalTotals, output: Output, json: boolean): void {
  const { network, replica, segments } = log
  const { incarnation, end, tornBytes, firstSegment } = recovered
  const about = {
    network,
    replica,
    voice: recovered.abstains ? 'abstains' : 'votes',
    incarnation,
    'first segment': firstSegment,
    segments: segments.length,
    'last sequence': end.sequence,
    'torn bytes': tornBytes,
    records: totals.records,
    bytes: totals.bytes,
    unreadable: totals.unreadable,
    ...contentsOf(totals),
  }
  if (json) output.out(JSON.stringify({ ok: true, ...about, files: segments }))
  else for (const line of table(Object.entries(about).map(([name, value]) => [name, String(value)]))) output.out(line)
}

/** Of the protocol whose records these are. */
function contentsOf(totals: WalTotals): Record<string, number> {
  const { proposals, decisions, lastView, lastHeight, hardStates, lastTerm, entries, lastIndex } = totals
  if (proposals + decisions + lastView > 0) {
    return { proposals, decisions, 'last view': lastView, 'last decided height': lastHeight }
  }
  return { 'hard states': hardStates, 'last term': lastTerm, entries, 'last index': lastIndex }
}

function printRecords(
  log: OfflineLog,
  recovered: RecoveredLog,
  { from, limit, json }: { from: number; limit: number; json: boolean },
  output: Output,
): WalTotals {
  let left = limit
  return totalsOf(log, recovered, (one) => {
    if (one.sequence < from || left === 0) return
    left--
    output.out(json ? JSON.stringify(summaryOf(one)) : sentenceOf(one))
  })
}

function summaryOf({ sequence, bytes, record }: WalRecord): object {
  if (record === null) return { sequence, bytes, kind: 'unreadable' }
  if (record.kind === 'hard-state' || record.kind === 'base') return { sequence, bytes, ...record }
  if (record.kind !== 'entries') return { sequence, bytes, kind: record.kind, what: votingSentence(record) }
  const entries = record.entries.map(({ term, block }) => ({
    term,
    height: block.header.height,
    timestamp: block.header.timestamp,
    payloadBytes: block.payload.length,
  }))
  return { sequence, bytes, kind: record.kind, firstIndex: record.firstIndex, entries }
}

function sentenceOf({ sequence, bytes, record }: WalRecord): string {
  const head = `${sequence}  ${bytes} bytes`
  if (record === null) return `${head}  cannot be read by this release`
  if (record.kind === 'hard-state') {
    return `${head}  term ${record.term}, ${record.votedFor === 0 ? 'no vote' : `vote for replica ${record.votedFor}`}`
  }
  if (record.kind === 'base') {
    return `${head}  begins behind entry ${record.index} of term ${record.term}${record.truncates ? ', nothing above it' : ''}`
  }
  if (record.kind !== 'entries') return `${head}  ${votingSentence(record)}`
  const last = record.firstIndex + record.entries.length - 1
  const terms = [...new Set(record.entries.map((entry) => entry.term))].join(', ')
  return `${head}  entries ${record.firstIndex} to ${last} of term ${terms}`
}
