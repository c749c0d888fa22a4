// Reads the evidence file back, one piece of evidence at a time. Behind what is damaged the next sound record is looked for, byte by byte.

import type { Evidence } from '../../kernel/evidence.ts'
import { readBytesMax, type Crc32, type Directory, type FileError } from '../log/file-port.ts'
import {
  decodeEvidenceHead,
  decodeEvidenceRecord,
  evidenceFile,
  evidenceHeadBytes,
  evidenceMagicByte,
  evidenceRecordBytes,
  evidenceRecordLength,
  type EvidenceHead,
} from './format.ts'

export interface FoundEvidence {
  evidence: Evidence
  bytes: number
}

export interface EvidenceScan {
  /** Null: there is no file, or its head is damaged. */
  head: EvidenceHead | null
  /** Size of the file. */
  end: number
  /** Bytes of it that belong to no sound record. */
  damagedBytes: number
}

type Ports = { directory: Directory; crc32: Crc32 }

/** What goes wrong with the disk is thrown as an `EvidenceUnreadable`. */
export function* readEvidence({ directory, crc32 }: Ports): Generator<FoundEvidence, EvidenceScan> {
  const end = directory.list().includes(evidenceFile) ? directory.size(evidenceFile) : 0
  const head = decodeEvidenceHead(readAll(directory, 0, Math.min(end, evidenceHeadBytes)), crc32)
  let damagedBytes = head === null ? Math.min(end, evidenceHeadBytes) : 0
  for (let offset = evidenceHeadBytes; offset < end;) {
    const length = lengthAt(directory, offset, end)
    const bytes = length === null ? null : readAll(directory, offset, length)
    const evidence = bytes === null ? null : decodeEvidenceRecord(bytes, offset, crc32)
    if (evidence !== null && bytes !== null) {
      yield { evidence, bytes: bytes.length }
      offset += bytes.length
    } else {
      const next = nextMagic(directory, offset + 1, end)
      damagedBytes += next - offset
      offset = next
    }
  }
  return { head, end, damagedBytes }
}

export class EvidenceUnreadable extends Error {
  override readonly name = 'EvidenceUnreadable'
  readonly code: FileError['code']

  constructor({ code, message }: FileError) {
    super(message)
    this.code = code
  }
}

function lengthAt(directory: Directory, offset: number, end: number): number | null {
  const length = evidenceRecordLength(readAll(directory, offset, Math.min(evidenceRecordBytes, end - offset)))
  return length !== null && offset + length <= end ? length : null
}

function nextMagic(directory: Directory, from: number, end: number): number {
  for (let at = from; at < end; at += readBytesMax) {
    const index = readAll(directory, at, Math.min(readBytesMax, end - at)).indexOf(evidenceMagicByte)
    if (index >= 0) return at + index
  }
  return end
}

function readAll(directory: Directory, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let filled = 0; filled < length;) {
    const read = directory.read(evidenceFile, offset + filled, Math.min(readBytesMax, length - filled))
    if (!read.ok) throw new EvidenceUnreadable(read.error)
    if (read.bytes.length === 0) return bytes.subarray(0, filled)
    bytes.set(read.bytes, filled)
    filled += read.bytes.length
  }
  return bytes
}
