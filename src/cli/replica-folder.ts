// Where things lie: a network's folder has `network.json`, `clients.txt` and `client.key`; a replica's folder, inside it or elsewhere,
// has `consensus.key`, `link.key` and `data/`.

import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { PublicKey } from '../kernel/crypto-ports.ts'
import type { PermittedClients } from '../network/node/replica-network.ts'
import { Failure } from './failure.ts'
import { readTextFile } from './read-file.ts'
import { clientsFileName, localNetworkFileName } from './setup/local-network.ts'
import { memberFileNames } from './setup/member-keys.ts'

const clientsFileBytesMax = 1024 * 1024
const namesShownMax = 7

/** Refuses the network's folder in the place of a replica's, and names those that are meant. */
export function requireReplicaFolder(dir: string): void {
  if (existsSync(join(dir, memberFileNames.consensus)) || !existsSync(dir)) return
  const inside = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(dir, entry.name, memberFileNames.consensus)))
    .map((entry) => join(dir, entry.name))
  if (inside.length === 0) return
  const shown = inside.sort().slice(0, namesShownMax).join(', ')
  const more = inside.length > namesShownMax ? ` and ${inside.length - namesShownMax} more` : ''
  throw new Failure(
    'ERR_KEY_FILE_NOT_FOUND',
    `${dir} is the folder of a network: name one of its replicas: ${shown}${more}`,
  )
}

/** The network file for a replica's folder: in it, or in the folder above. */
export function networkPathFor(replicaDir: string): string {
  const own = join(resolve(replicaDir), localNetworkFileName)
  return existsSync(own) ? own : join(dirname(resolve(replicaDir)), localNetworkFileName)
}

/** `anyone`, or the path of a list; without a word the list beside the network file, if there is one. */
export function permittedClients(word: string, networkPath: string): PermittedClients {
  if (word === 'anyone') return 'anyone'
  const path = word === '' ? join(dirname(networkPath), clientsFileName) : word
  return word === '' && !existsSync(path) ? [] : readClients(path)
}

/** One public key a line, as hexadecimal; behind # stands what is for people. */
function readClients(path: string): PublicKey[] {
  const lines = readTextFile(path, clientsFileBytesMax).split('\n')
  return lines.flatMap((line, index) => {
    const text = line.replace(/#.*/, '').trim()
    if (text === '') return []
    if (/^[0-9a-f]{64}$/.test(text)) return [Uint8Array.from(Buffer.from(text, 'hex'))]
    throw new Failure(
      'ERR_CLIENTS_FILE',
      `${path}: line ${index + 1} is no public key of 64 hexadecimal digits: correct it`,
    )
  })
}
