// What an audit has to know of each protocol: how its records are read and judged.

import { nodeEd25519 } from '../../crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../crypto/node/sha256-hasher.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { DirectoryFindings } from './findings.ts'
import { HotstuffAuditor } from './hotstuff-records.ts'
import { PbftAuditor } from './pbft-records.ts'
import { RaftAuditor } from './raft-records.ts'
import type { AuditPorts, RecordAuditor } from './record-auditor.ts'
import type { Witness } from './witness.ts'

export const auditPorts: AuditPorts = { hasher: nodeHasher, verifier: nodeEd25519 }

const auditors = { raft: RaftAuditor, pbft: PbftAuditor, hotstuff: HotstuffAuditor } as const

export function auditorFor(epoch: Epoch, findings: DirectoryFindings, witness: Witness): RecordAuditor<unknown> {
  const Auditor = auditors[epoch.protocol]
  return new Auditor(findings, epoch, auditPorts, witness) as RecordAuditor<unknown>
}
