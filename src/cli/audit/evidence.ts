// The evidence that a directory holds, judged anew: what holds is a lie of a member, what does not is a fault of the directory.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { signingDomainOf } from '../../kernel/domains.ts'
import type { Evidence } from '../../kernel/evidence.ts'
import { judgeEvidence } from '../../kernel/judge-evidence.ts'
import type { Epoch } from '../../kernel/membership.ts'
import { EvidenceUnreadable, readEvidence, type EvidenceScan } from '../../storage/evidence/evidence-reader.ts'
import { evidenceFormatVersion } from '../../storage/evidence/format.ts'
import { crc32 } from '../../storage/node/crc32.ts'
import { openNodeDirectory } from '../../storage/node/node-directory.ts'
import { evidenceFolder } from '../../storage/node/open-evidence-folder.ts'
import { definitionOf } from '../../replica/protocols.ts'
import type { DirectoryFindings } from './findings.ts'
import { auditPorts } from './protocols.ts'
import type { Witness } from './witness.ts'

export async function auditEvidence(
  data: string,
  epoch: Epoch,
  findings: DirectoryFindings,
  witness: Witness,
): Promise<void> {
  const path = join(data, evidenceFolder)
  if (!existsSync(path)) return
  const directory = openNodeDirectory(path)
  try {
    const reading = readEvidence({ directory, crc32 })
    for (let number = 1; ; number++) {
      const next = reading.next()
      if (next.done === true) return judgeFile(next.value, epoch, findings)
      judge(next.value.evidence, number, epoch, findings, witness)
    }
  } catch (error) {
    if (!(error instanceof EvidenceUnreadable)) throw error
    findings.fault('evidence', error.message)
  } finally {
    await directory.close()
  }
}

function judge(evidence: Evidence, number: number, epoch: Epoch, findings: DirectoryFindings, witness: Witness): void {
  const verdict = judgeEvidence(evidence, epoch, definitionOf(epoch.protocol), auditPorts.verifier)
  const domain = signingDomainOf(evidence.domainTag)
  if (!verdict.ok || domain === null) {
    const reason = verdict.ok ? 'no domain' : verdict.reason
    return findings.fault(`evidence ${number}`, `it shows nothing against replica ${evidence.replica}: ${reason}`)
  }
  findings.evidence++
  witness.lie(evidence.replica, domain, verdict.about, [findings.path])
}

function judgeFile({ head, end, damagedBytes }: EvidenceScan, epoch: Epoch, findings: DirectoryFindings): void {
  if (end === 0) return
  if (damagedBytes > 0) findings.fault('evidence', `${damagedBytes} bytes of the file are damaged`)
  if (head !== null && head.version !== evidenceFormatVersion) {
    findings.fault('evidence', `the file has format version ${head.version}`)
  }
  if (head !== null && !equalBytes(head.network, epoch.network)) findings.fault('evidence', "it is another network's")
}
