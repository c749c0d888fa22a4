// The member file: what one organisation says of itself, to be put into a network file. Public. Both of its keys sign it, so nobody
// can bring in a key that is another's, nor change what the organisation said on the way.

import type { Signature, SignatureSuite, Signer } from './crypto-ports.ts'
import { signingBytes } from './domains.ts'
import { networkIdBytes } from './ids.ts'
import type { Member } from './membership.ts'
import type { NetworkFileError } from './network-file.ts'
import { bytes, fields, json, memberFieldNames, memberFields, Refusal, requireVersion } from './network-file-fields.ts'
import { asciiBytes, canonicalText, prettyText } from './network-text.ts'

export const memberFileVersion = 1
export const memberFileBytesMax: number = 64 * 1024
const signatureBytesMax = 4096

/** The network file gives it an id. */
export type NewMember = Omit<Member, 'id'>

export type MemberFile = { ok: true; member: NewMember } | { ok: false; error: NetworkFileError }

export interface MemberSigners {
  consensus: Signer
  link: Signer
}

/** Total on any text. */
export function parseMemberFile(text: string, suite: SignatureSuite): MemberFile {
  try {
    return { ok: true, member: readMember(json(text, 'the member file', memberFileBytesMax), suite) }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, error: { code: error.code, message: error.message } }
    throw error
  }
}

function readMember(value: unknown, suite: SignatureSuite): NewMember {
  const file = fields(value, 'the file', ['version', ...memberFieldNames, 'proof'])
  requireVersion(file['version'], memberFileVersion)
  const member = memberFields(file, '', suite)
  const proof = fields(file['proof'], 'proof', ['consensus', 'link'])
  const signed = proofBytes(member)
  for (const kind of ['consensus', 'link'] as const) {
    const signature = bytes(proof[kind], `proof.${kind}`, signatureBytesMax, 'ERR_NETWORK_PROOF')
    const key = kind === 'consensus' ? member.consensusKey : member.linkKey
    if (suite.verify(key, signed, signature)) continue
    throw new Refusal(
      'ERR_NETWORK_PROOF',
      `proof.${kind} is not by the ${kind} key on what the file says: ask ${member.name} for the file as quorate keygen wrote it`,
    )
  }
  return member
}

/** The text of a member file whose keys are those of the signers. */
export function memberFileText(member: Omit<NewMember, 'consensusKey' | 'linkKey'>, signers: MemberSigners): string {
  const whole: NewMember = { ...member, consensusKey: signers.consensus.publicKey, linkKey: signers.link.publicKey }
  const signed = proofBytes(whole)
  const sign = (signer: Signer): Signature => signer.sign(signed)
  const proof = { consensus: sign(signers.consensus), link: sign(signers.link) }
  return prettyText({ version: memberFileVersion, ...whole, proof })
}

/** There is no network yet, and no epoch: a scope in which nothing else is signed. */
function proofBytes(member: NewMember): Uint8Array {
  const scope = { network: new Uint8Array(networkIdBytes), epoch: 0, protocol: 'any' } as const
  return signingBytes('member-file', scope, asciiBytes(canonicalText({ version: memberFileVersion, ...member })))
}
