// What raft's records claim, as far as it can be verified: raft survives crashes, not lies, and its entries are signed by nobody.

import { equalBytes } from '../../wire/equal-bytes.ts'
import type { Codec } from '../../wire/codec.ts'
import { blockDigest, payloadDigest } from '../../kernel/block.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { Entry } from '../../protocols/raft/messages.ts'
import { raftRecordCodec, type RaftRecord } from '../../protocols/raft/records.ts'
import type { DirectoryFindings } from './findings.ts'
import type { AuditPorts, RecordAuditor } from './record-auditor.ts'
import type { Witness } from './witness.ts'

export class RaftAuditor implements RecordAuditor<RaftRecord> {
  readonly codec: Codec<RaftRecord> = raftRecordCodec
  readonly #findings: DirectoryFindings
  readonly #epoch: Epoch
  readonly #ports: AuditPorts
  readonly #witness: Witness
  readonly decided = 0
  readonly gaps = 0

  constructor(findings: DirectoryFindings, epoch: Epoch, ports: AuditPorts, witness: Witness) {
    this.#findings = findings
    this.#epoch = epoch
    this.#ports = ports
    this.#witness = witness
  }

  judge(record: RaftRecord): string | null {
    if (record.kind !== 'entries') return null
    for (const [index, entry] of record.entries.entries()) {
      const fault = this.#entry(record.firstIndex + index, entry)
      if (fault !== null) return `entry ${record.firstIndex + index} of term ${entry.term} ${fault}`
    }
    return null
  }

  /** Two logs with one index and term hold one block there (Raft §5.3). */
  #entry(height: number, { term, block: { header, payload } }: Entry): string | null {
    if (header.epoch !== this.#epoch.number) return 'is of another epoch'
    if (header.height !== height) return `holds a block of height ${header.height}`
    const { hasher } = this.#ports
    if (!equalBytes(payloadDigest(hasher, payload), header.payloadDigest)) return 'has another payload than it names'
    this.#witness.entry(this.#findings.path, height, term, blockDigest(hasher, header))
    return null
  }
}
