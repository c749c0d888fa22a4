// The folder of evidence in a data directory. It is made when it is not there: most replicas never see a lie.

import { setImmediate } from 'node:timers/promises'
import type { Evidence } from '../../kernel/evidence.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { EvidenceUnreadable, readEvidence } from '../evidence/evidence-reader.ts'
import { EvidenceStore, type EvidenceStoreOptions } from '../evidence/evidence-store.ts'
import { evidenceFormatVersion } from '../evidence/format.ts'
import { crc32 } from './crc32.ts'
import { DataDirectoryError } from './data-directory-error.ts'
import { makeFolder, syncNames } from './folders.ts'
import { openNodeDirectory } from './node-directory.ts'
import type { ClosableDirectory } from './open-data-directory.ts'

/** In the data directory, beside the log's. */
export const evidenceFolder = 'evidence'

export interface OpenEvidenceFolderOptions extends Pick<EvidenceStoreOptions, 'network' | 'listener' | 'limits'> {
  /** What it is about; null for what shows nothing. */
  judge: (evidence: Evidence) => string | null
  signal?: AbortSignal
  /** For tests that lose power. */
  openDirectory?: (path: string) => ClosableDirectory
}

export interface EvidenceFolder {
  store: EvidenceStore
  /** What was there, against whom, and about what. */
  found: { replica: number; about: string }[]
  close(): Promise<void>
}

/** Of a data directory that is open, and so locked. */
export async function openEvidenceFolder(dataDir: string, options: OpenEvidenceFolderOptions): Promise<EvidenceFolder> {
  const { network, listener, limits, judge, signal, openDirectory = openNodeDirectory } = options
  const path = `${dataDir}/${evidenceFolder}`
  const firstMade = makeFolder(path)
  if (firstMade !== null) syncNames(path, firstMade)
  const directory = openDirectory(path)
  try {
    const kept: { evidence: Evidence; about: string; bytes: number }[] = []
    const reading = readEvidence({ directory, crc32 })
    for (;;) {
      const next = reading.next()
      if (next.done === true) {
        const { head, end } = next.value
        if (head !== null) requireOurs(head.version, equalBytes(head.network, network))
        const store = new EvidenceStore({
          ...{ directory, crc32, network, listener, end, hasHead: head !== null },
          ...(limits === undefined ? {} : { limits }),
        })
        for (const { evidence, about, bytes } of kept) store.found(evidence, about, bytes)
        const close = async (): Promise<void> => {
          await new Promise<void>((resolve) => store.close(resolve))
          await directory.close?.()
        }
        return { store, found: kept.map(({ evidence: { replica }, about }) => ({ replica, about })), close }
      }
      const { evidence, bytes } = next.value
      const about = judge(evidence)
      if (about !== null) kept.push({ evidence: withoutStatements(evidence), about, bytes })
      await setImmediate()
      signal?.throwIfAborted()
    }
  } catch (error) {
    await directory.close?.()
    throw error instanceof EvidenceUnreadable ? new DataDirectoryError(error.code, error.message) : error
  }
}

function requireOurs(version: number, isOurNetwork: boolean): void {
  if (version !== evidenceFormatVersion) {
    const message = `the evidence has format version ${version}, this release writes ${evidenceFormatVersion}: start the release that wrote it, or move it away`
    throw new DataDirectoryError('ERR_LOG_FORMAT_VERSION', message)
  }
  if (isOurNetwork) return
  throw new DataDirectoryError('ERR_LOG_FOREIGN_DIRECTORY', "the evidence is another network's: move it away")
}

/** They may be large, and only their names are compared. */
function withoutStatements(evidence: Evidence): Evidence {
  const nothing = { body: new Uint8Array(), signature: new Uint8Array() }
  return { ...evidence, first: nothing, second: nothing }
}
