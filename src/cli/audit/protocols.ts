// What an audit has to know of each protocol: how its records are read and judged, and which statements contradict each other.

import { nodeEd25519 } from '../../crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../crypto/node/sha256-hasher.ts'
import type { ProtocolName } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { ProtocolDefinition } from '../../kernel/protocol.ts'
import { pbft } from '../../protocols/pbft/pbft.ts'
import { raft } from '../../protocols/raft/raft.ts'
import { Failure } from '../failure.ts'
import type { DirectoryFindings } from './findings.ts'
import { PbftAuditor } from './pbft-records.ts'
import { RaftAuditor } from './raft-records.ts'
import type { AuditPorts, RecordAuditor } from './record-auditor.ts'
import type { Witness } from './witness.ts'

export const auditPorts: AuditPorts = { hasher: nodeHasher, verifier: nodeEd25519 }

export type AuditedDefinition = Pick<ProtocolDefinition<never, never>, 'name' | 'verifyDecision' | 'contradiction'>

export function definitionFor(protocol: ProtocolName): AuditedDefinition {
  if (protocol === 'raft') return raft
  if (protocol === 'pbft') return pbft
  throw new Failure('ERR_PROTOCOL_UNAVAILABLE', `this release audits no ${protocol}: use the release that runs it`)
}

export function auditorFor(epoch: Epoch, findings: DirectoryFindings, witness: Witness): RecordAuditor<unknown> {
  const Auditor = epoch.protocol === 'pbft' ? PbftAuditor : RaftAuditor
  return new Auditor(findings, epoch, auditPorts, witness) as RecordAuditor<unknown>
}
