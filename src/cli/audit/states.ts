// The states that a directory says it has reached: headers of its snapshots, and the certificates beside them.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { encode } from '../../wire/codec.ts'
import { CertificateRules } from '../../kernel/checkpoint-rules.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../../kernel/executed-header.ts'
import type { Height } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import { crc32 } from '../../storage/node/crc32.ts'
import { openNodeDirectory, type NodeDirectory } from '../../storage/node/node-directory.ts'
import { snapshotFolder } from '../../storage/node/open-snapshot-folder.ts'
import { snapshotFileOf } from '../../storage/snapshots/format.ts'
import { readCheckpoint, readManifestHead } from '../../storage/snapshots/manifest-file.ts'
import { definitionOf } from '../../replica/protocols.ts'
import { provenBy } from './decision.ts'
import type { DirectoryFindings } from './findings.ts'
import { auditPorts } from './protocols.ts'
import type { Witness } from './witness.ts'

export async function auditStates(
  data: string,
  epoch: Epoch,
  findings: DirectoryFindings,
  witness: Witness,
): Promise<void> {
  const path = join(data, snapshotFolder)
  if (!existsSync(path)) return
  const directory = openNodeDirectory(path)
  try {
    const rules = rulesOf(epoch)
    const before: { header: ExecutedHeader | null } = { header: null }
    for (const height of heightsIn(directory)) auditHeight(directory, height, rules, before, findings, witness)
  } finally {
    await directory.close()
  }
}

function auditHeight(
  directory: NodeDirectory,
  height: Height,
  rules: CertificateRules,
  before: { header: ExecutedHeader | null },
  findings: DirectoryFindings,
  witness: Witness,
): void {
  const where = `snapshot ${height}`
  const manifest = readManifestHead(directory, crc32, height)
  const checkpoint = readCheckpoint(directory, crc32, height)
  const names = directory.list()
  if (manifest === null && names.some((name) => nameIs(name, 'manifest', height))) {
    findings.fault(where, 'its manifest is damaged')
  }
  if (checkpoint === null && names.some((name) => nameIs(name, 'checkpoint', height))) {
    findings.fault(where, 'its certificate is damaged')
  }
  if (manifest !== null && !equalBytes(manifest.head.network, rules.epoch.network)) {
    return findings.fault(where, 'it is of another network')
  }
  const header = checkpoint?.header ?? manifest?.head.header
  if (header === undefined) return
  if (checkpoint !== null && manifest !== null && !isSame(checkpoint.header, manifest.head.header)) {
    findings.fault(where, 'its certificate is that of another state')
  }
  const fault = checkpoint === null ? null : rules.fault(checkpoint)
  if (fault !== null) return findings.fault(where, `its certificate has ${fault}`)
  const { header: last } = before
  if (last !== null && header.time < last.time)
    findings.fault(where, `its time is before that of height ${last.height}`)
  before.header = header
  const digest = auditPorts.hasher.digest(encode(executedHeaderCodec, header))
  const signers = checkpoint?.signatures.map(({ replica }) => replica) ?? []
  for (const signer of signers) witness.statement(findings.path, signer, 'checkpoint', `height ${height}`, digest)
  witness.state(findings.path, height, digest, signers)
  findings.state(height, header.blockDigest, checkpoint !== null)
  const decision = checkpoint === null ? null : provenBy(auditPorts.hasher, checkpoint.proof)
  if (decision !== null) {
    witness.decided(findings.path, height, decision.digest, decision.view, decision.signers)
  }
}

function rulesOf(epoch: Epoch): CertificateRules {
  const definition = definitionOf(epoch.protocol)
  const { hasher, verifier } = auditPorts
  return new CertificateRules({
    epoch,
    hasher,
    verifier,
    verifyDecision: (block, proof) => definition.verifyDecision(epoch, block, proof, auditPorts),
  })
}

/** Ascending. */
function heightsIn(directory: NodeDirectory): Height[] {
  const heights = directory.list().flatMap((name) => {
    const file = snapshotFileOf(name)
    return file === null || file.kind === 'pack' ? [] : [file.height]
  })
  return [...new Set(heights)].sort((left, right) => left - right)
}

function nameIs(name: string, kind: 'manifest' | 'checkpoint', height: Height): boolean {
  const file = snapshotFileOf(name)
  return file !== null && file.kind === kind && file.height === height
}

function isSame(left: ExecutedHeader, right: ExecutedHeader): boolean {
  return equalBytes(encode(executedHeaderCodec, left), encode(executedHeaderCodec, right))
}
