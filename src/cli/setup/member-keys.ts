// The files of one member: two secret keys that stay where they are made, and the public member file that others are given.

import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nodeEd25519 } from '../../crypto/node/ed25519-suite.ts'
import { generateKeyPair, writeKeyFile, type KeyPair, type KeyPurpose } from '../../crypto/node/key-file.ts'
import type { Signer } from '../../kernel/crypto-ports.ts'
import { memberFileText, parseMemberFile, type NewMember } from '../../kernel/member-file.ts'
import { Failure, systemCode } from '../failure.ts'
import { createFile } from '../write-file.ts'

export const memberFileNames = { consensus: 'consensus.key', link: 'link.key', member: 'member.json' } as const
export const clientKeyName = 'client.key'

export interface MemberPlan extends Omit<NewMember, 'consensusKey' | 'linkKey'> {
  /** Made if it is not there. */
  dir: string
}

export interface CreatedMember {
  member: NewMember
  /** For approvals: the key was just made, and is in the file too. */
  consensus: Signer
}

/** Makes all three files, or none of them; overwrites nothing. */
export function createMember({ dir, ...said }: MemberPlan): CreatedMember {
  const [consensus, link] = [generateKeyPair('consensus'), generateKeyPair('link')]
  const signers = { consensus: nodeEd25519.signer(consensus.secretKey), link: nodeEd25519.signer(link.secretKey) }
  const text = memberFileText(said, signers)
  const file = parseMemberFile(text, nodeEd25519)
  if (!file.ok) throw new Failure(file.error.code, file.error.message)
  makeFolder(dir)
  createTogether(dir, [
    [memberFileNames.consensus, (path) => createKeyFile(path, consensus)],
    [memberFileNames.link, (path) => createKeyFile(path, link)],
    [memberFileNames.member, (path) => createFile(path, text)],
  ])
  return { member: file.member, consensus: signers.consensus }
}

/** Makes a client's key and answers with its public half. */
export function createClientKey(dir: string): Uint8Array {
  const pair = generateKeyPair('client' satisfies KeyPurpose)
  makeFolder(dir)
  createKeyFile(join(dir, clientKeyName), pair)
  return pair.publicKey
}

function createKeyFile(path: string, pair: KeyPair): void {
  const written = writeKeyFile(path, pair)
  if (!written.ok) throw new Failure(written.code, written.message)
}

/** Looks before it writes, and takes back what it has written if one of them cannot be. */
function createTogether(dir: string, files: readonly (readonly [string, (path: string) => void])[]): void {
  for (const [name] of files) {
    if (!existsSync(join(dir, name))) continue
    const found = `${join(dir, name)} exists and is not overwritten`
    throw new Failure('ERR_FILE_EXISTS', `${found}: choose another folder, or move its keys away`)
  }
  const written: string[] = []
  try {
    for (const [name, write] of files) {
      write(join(dir, name))
      written.push(join(dir, name))
    }
  } catch (error) {
    for (const path of written) rmSync(path, { force: true })
    throw error
  }
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Failure(
      'ERR_FILE_NOT_WRITTEN',
      `${dir} cannot be made (${systemCode(error)}): choose a folder in a place that is yours`,
    )
  }
}
