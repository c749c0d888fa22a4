// One replica's directory, read and never written: log, states, evidence.

import { setImmediate } from 'node:timers/promises'
import { decode } from '../../wire/codec.ts'
import { toHex } from '../../kernel/hex.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { RecoveredLog } from '../../storage/log/recovery.ts'
import { readRecords } from '../../storage/log/log-reader.ts'
import { crc32 } from '../../storage/node/crc32.ts'
import { Failure } from '../failure.ts'
import { openOfflineLog, type OfflineLog } from '../wal/offline-log.ts'
import { auditEvidence } from './evidence.ts'
import { DirectoryFindings } from './findings.ts'
import { auditorFor } from './protocols.ts'
import { auditStates } from './states.ts'
import type { Witness } from './witness.ts'

/** Records between two turns of the event loop. */
const recordsPerTurn = 64

/** `path` is a data directory, or the replica's folder around it. `progress` hears of bytes of the log. */
export async function auditDirectory(
  path: string,
  epoch: Epoch,
  witness: Witness,
  progress: (bytes: number) => void,
): Promise<DirectoryFindings> {
  const log = openOfflineLog(path)
  try {
    requireNetwork(log, epoch)
    const findings = new DirectoryFindings(log.path, log.replica)
    findings.isLocked = log.isLocked
    if (log.recovered.ok) await auditLog(log, log.recovered, epoch, findings, witness, progress)
    else findings.fault('log', `${log.recovered.message} (${log.recovered.code})`)
    await auditStates(log.path, epoch, findings, witness)
    await auditEvidence(log.path, epoch, findings, witness)
    return findings
  } finally {
    await log.directory.close()
  }
}

/** What a progress bar counts. */
export function logBytes(path: string): number {
  return openOfflineLog(path).segments.reduce((sum, { bytes }) => sum + bytes, 0)
}

function requireNetwork(log: OfflineLog, epoch: Epoch): void {
  const network = toHex(epoch.network)
  if (log.network === network) return
  const message = `${log.path} is of network ${log.network}, and the network file is of ${network}: name files of one network`
  throw new Failure('ERR_OTHER_NETWORK', message)
}

async function auditLog(
  { directory, replica }: OfflineLog,
  recovered: RecoveredLog,
  epoch: Epoch,
  findings: DirectoryFindings,
  witness: Witness,
  progress: (bytes: number) => void,
): Promise<void> {
  findings.tornBytes = recovered.tornBytes
  findings.abstains = recovered.abstains
  if (!epoch.members.some(({ id }) => id === replica)) findings.fault('log', `replica ${replica} is not a member`)
  const auditor = auditorFor(epoch, findings, witness)
  for (const { sequence, bytes } of readRecords(directory, crc32, recovered.firstSegment, recovered.end)) {
    const record = decode(auditor.codec, bytes)
    const fault = record.ok ? auditor.judge(record.value) : `it is none of ${epoch.protocol}: ${record.error.message}`
    if (fault !== null) findings.fault(`record ${sequence}`, fault)
    findings.records++
    findings.bytes += bytes.length
    if (findings.records % recordsPerTurn !== 0) continue
    progress(findings.bytes)
    await setImmediate()
  }
  findings.decided = auditor.decided
  findings.gaps = auditor.gaps
}
