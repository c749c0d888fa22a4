// A replica's log as it lies on disk, read and never written: whose it is, what recovery makes of it, and its records.

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { toHex } from '../../kernel/hex.ts'
import {
  decodeIdentity,
  formatVersion,
  identityBytesMax,
  identityFile,
  identityVersion,
  noteFile,
  segmentOf,
} from '../../storage/log/format.ts'
import { readRecords } from '../../storage/log/log-reader.ts'
import { recoverLog, type LogRefusal, type RecoveredLog } from '../../storage/log/recovery.ts'
import { refuseOldCopy } from '../../storage/log/rejoin.ts'
import { SeenIncarnations } from '../../storage/log/seen-incarnations.ts'
import { crc32 } from '../../storage/node/crc32.ts'
import { logFolder } from '../../storage/node/create-data-directory.ts'
import { lockFile } from '../../storage/node/directory-lock.ts'
import { openNodeDirectory, type NodeDirectory } from '../../storage/node/node-directory.ts'
import { peersFolder } from '../../storage/node/open-data-directory.ts'
import { decode } from '../../wire/codec.ts'
import { Failure } from '../failure.ts'
import { dataFolderName } from '../setup/local-network.ts'
import { isOfHotstuff, recordCodecFor, type AnyRecord } from './record-codec.ts'

export interface OfflineLog {
  path: string
  directory: NodeDirectory
  network: string
  replica: number
  /** A process has the directory open, or had when it died: what is read may still change. */
  isLocked: boolean
  segments: { name: string; bytes: number }[]
  recovered: RecoveredLog | LogRefusal
}

/** `path` is a data directory, or the replica's folder around it, or a log that was set aside. */
export function openOfflineLog(path: string): OfflineLog {
  const { data, log } = foldersOf(resolve(path))
  const directory = openNodeDirectory(log)
  const { network, replica } = identityOf(directory, log)
  const names = directory.list().filter((name) => segmentOf(name) !== null)
  // What others have seen says nothing of a log that was set aside: it is not started from any more.
  const seen = data === null ? 0 : new SeenIncarnations(openNodeDirectory(join(data, peersFolder)), crc32).own
  return {
    path: data ?? log,
    directory,
    network: toHex(network),
    replica,
    isLocked: data !== null && existsSync(join(data, lockFile)),
    segments: names.sort().map((name) => ({ name, bytes: directory.size(name) })),
    recovered: refuseOldCopy(recover(directory, { network, replica }), seen),
  }
}

function foldersOf(path: string): { data: string | null; log: string } {
  for (const data of [path, join(path, dataFolderName)]) {
    const log = join(data, logFolder)
    if (namesIn(log).length > 0) return { data, log }
  }
  const isLog = namesIn(path).some((name) => name === identityFile || name === noteFile || segmentOf(name) !== null)
  if (isLog) return { data: null, log: path }
  const message = `${path} holds no log: name a data directory, a replica's folder, or a log that was set aside`
  throw new Failure('ERR_DATA_DIRECTORY_MISSING', message)
}

function namesIn(path: string): string[] {
  return existsSync(path) && statSync(path).isDirectory() ? readdirSync(path) : []
}

function identityOf(directory: NodeDirectory, path: string): { network: Uint8Array; replica: number } {
  const read = directory.list().includes(identityFile) ? directory.read(identityFile, 0, identityBytesMax + 1) : null
  if (read?.ok === false) throw new Failure('ERR_LOG_UNREADABLE', `${path}: ${read.error.message}`)
  const version = read === null ? null : identityVersion(read.bytes, crc32)
  if (version !== null && version !== formatVersion) {
    const message = `${path} has format version ${version}, this release reads ${formatVersion}: use the release that wrote it`
    throw new Failure('ERR_LOG_FORMAT_VERSION', message)
  }
  const identity = read === null ? null : decodeIdentity(read.bytes, crc32)
  if (identity !== null) return identity
  const message = `${path} does not say whose log it is (${identityFile} is missing or damaged): start --rejoin sets it aside`
  throw new Failure('ERR_LOG_CORRUPT', message)
}

function recover(directory: NodeDirectory, expected: { network: Uint8Array; replica: number }) {
  const recovery = recoverLog({ directory, crc32, expected })
  for (;;) {
    const step = recovery.next()
    if (step.done === true) return step.value
  }
}

export interface WalRecord {
  sequence: number
  bytes: number
  /** Null if this release cannot read it. */
  record: AnyRecord | null
}

/** Oldest first, in bounded memory: one segment at a time. */
export function* walRecords({ directory }: OfflineLog, { firstSegment, end }: RecoveredLog): Generator<WalRecord> {
  const codec = recordCodecFor(readRecords(directory, crc32, firstSegment, end))
  for (const { sequence, bytes } of readRecords(directory, crc32, firstSegment, end)) {
    const record = decode(codec, bytes)
    yield { sequence, bytes: bytes.length, record: record.ok ? record.value : null }
  }
}

export interface WalTotals {
  records: number
  bytes: number
  unreadable: number
  /** Sequence of the first record that this release cannot read. */
  firstUnreadable: number | null
  /** pbft, hotstuff: proposals, decisions, the highest view and the highest decided height. */
  proposals: number
  decisions: number
  lastView: number
  lastHeight: number
  /** raft. */
  hardStates: number
  entries: number
  lastTerm: number
  /** Where the last entries end: later ones may have replaced earlier ones. */
  lastIndex: number
}

export function totalsOf(
  log: OfflineLog,
  recovered: RecoveredLog,
  each: (record: WalRecord) => void = () => {},
): WalTotals {
  const totals: WalTotals = {
    records: 0,
    bytes: 0,
    unreadable: 0,
    firstUnreadable: null,
    proposals: 0,
    decisions: 0,
    lastView: 0,
    lastHeight: 0,
    hardStates: 0,
    entries: 0,
    lastTerm: 0,
    lastIndex: 0,
  }
  for (const one of walRecords(log, recovered)) {
    each(one)
    add(totals, one)
  }
  return totals
}

function add(totals: WalTotals, { sequence, bytes, record }: WalRecord): void {
  totals.records++
  totals.bytes += bytes
  if (record === null) {
    totals.unreadable++
    totals.firstUnreadable ??= sequence
    return
  }
  switch (record.kind) {
    case 'hard-state':
      totals.hardStates++
      totals.lastTerm = record.term
      return
    case 'base':
      totals.lastIndex = record.truncates ? record.index : Math.max(totals.lastIndex, record.index)
      return
    case 'entries':
      totals.entries += record.entries.length
      totals.lastIndex = record.firstIndex + record.entries.length - 1
      return
    case 'proposal':
      totals.proposals++
      totals.lastView = Math.max(totals.lastView, record.view)
      return
    case 'decided':
      totals.decisions++
      totals.lastHeight = Math.max(totals.lastHeight, decidedHeight(record))
      return
    case 'new-view':
      totals.lastView = Math.max(totals.lastView, record.newView.view)
      return
    case 'voted':
      totals.proposals++
      totals.lastView = Math.max(totals.lastView, record.proposal.view)
      return
    case 'timeout':
      totals.lastView = Math.max(totals.lastView, record.timeout.view)
      return
    case 'timeouts':
      totals.lastView = Math.max(totals.lastView, record.timeouts.view)
      return
    case 'promises':
      totals.lastView = Math.max(totals.lastView, record.votedView)
      return
    case 'prepared':
    case 'view-change':
    case 'checkpoint':
  }
}

function decidedHeight(record: AnyRecord & { kind: 'decided' }): number {
  return isOfHotstuff(record) ? (record.headers[0]?.block.height ?? 0) : record.header.height
}
