// A network in a folder whose directories hold what we say: written by the stores' own code, signed with the members' own keys.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from '../../../src/cli/command.ts'
import { auditCommand } from '../../../src/cli/commands/audit.ts'
import { createLocalNetwork, replicaFolder } from '../../../src/cli/setup/local-network.ts'
import { openSnapshotsAt } from '../../../src/cli/snapshot/open-snapshots-at.ts'
import { nodeEd25519 } from '../../../src/crypto/node/ed25519-suite.ts'
import { readKeyFile } from '../../../src/crypto/node/key-file.ts'
import { nodeHasher } from '../../../src/crypto/node/sha256-hasher.ts'
import { MerkleTree } from '../../../src/execution/merkle.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import type { Evidence } from '../../../src/kernel/evidence.ts'
import type { ReadNetwork } from '../../../src/kernel/network-file.ts'
import type { ProtocolName } from '../../../src/kernel/ids.ts'
import { pbftRecordCodec, type PbftRecord } from '../../../src/protocols/pbft/records.ts'
import { EvidenceStore } from '../../../src/storage/evidence/evidence-store.ts'
import { crc32 } from '../../../src/storage/node/crc32.ts'
import { makeFolder } from '../../../src/storage/node/folders.ts'
import { openNodeDirectory } from '../../../src/storage/node/node-directory.ts'
import { openDataDirectory } from '../../../src/storage/node/open-data-directory.ts'
import { encode } from '../../../src/wire/codec.ts'
import { SignedGroup } from '../../protocols/pbft/signed-group.ts'

export class AuditedNetwork {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'quorate-audit-'))
  network!: ReadNetwork
  group!: SignedGroup

  async make(protocol: ProtocolName = 'pbft', name = 'net'): Promise<this> {
    const dir = join(this.folder, name)
    const replicas = protocol === 'raft' ? 3 : 4
    const made = await createLocalNetwork({ dir, name: 'harbour', protocol, replicas, host: '127.0.0.1', port: 4100 })
    this.network = made.network
    const { epoch } = made.network
    const signers = new Map(
      epoch.members.map(({ id }) => {
        const key = readKeyFile(join(replicaFolder(dir, id), 'consensus.key'), 'consensus')
        if (!key.ok) throw new Error(key.message)
        return [id, nodeEd25519.signer(key.pair.secretKey)] as const
      }),
    )
    this.group = new SignedGroup(4, 0, 7, { epoch, signers })
    return this
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  replica(id: number): string {
    return replicaFolder(join(this.folder, 'net'), id)
  }

  data(id: number): string {
    return join(this.replica(id), 'data')
  }

  log(id: number, records: readonly PbftRecord[]): Promise<void> {
    return this.append(
      id,
      records.map((record) => encode(pbftRecordCodec, record)),
    )
  }

  async append(id: number, bodies: readonly Uint8Array[]): Promise<void> {
    const durable = { upTo: 0, wake: (): void => {} }
    const listener = {
      durable: (upTo: number) => {
        durable.upTo = upTo
        durable.wake()
      },
      full: () => {},
      failed: () => {},
    }
    const { network } = this.network.epoch
    const { log, close } = await openDataDirectory(this.data(id), { network, replica: id, listener })
    const last = Math.max(...bodies.map((body) => log.append(body)))
    log.flush()
    while (durable.upTo < last) await new Promise<void>((resolve) => (durable.wake = resolve))
    await close()
  }

  /** A state of no chunks; its certificate, if there is one, is written as it is. */
  async snapshot(id: number, checkpoint: Checkpoint, isCertified = true): Promise<void> {
    const path = join(this.data(id), 'snapshots')
    makeFolder(path)
    const { store, close } = await openSnapshotsAt(path, this.network.epoch.network)
    const writer = store.begin(checkpoint.header, [])
    await new Promise<void>((resolve, reject) => {
      writer.finish((error) => {
        if (error !== null) return reject(new Error(error.message))
        if (!isCertified) return resolve()
        store.certify(checkpoint, (failure) => (failure === null ? resolve() : reject(new Error(failure.message))))
      })
    })
    await close()
  }

  /** Unjudged: also what shows nothing. */
  async evidence(id: number, ...all: Evidence[]): Promise<void> {
    const path = join(this.data(id), 'evidence')
    makeFolder(path)
    const directory = openNodeDirectory(path)
    const { network } = this.network.epoch
    const listener = { durable: () => {}, failed: () => {} }
    const store = new EvidenceStore({ directory, crc32, network, listener, end: 0, hasHead: false })
    for (const [index, evidence] of all.entries()) store.add(evidence, `${index}`)
    await new Promise<void>((resolve) => store.close(resolve))
    await directory.close()
  }

  /** All files of all replicas. */
  contents(): string {
    const names = readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).sort()
    return names
      .filter((name) => statSync(join(this.folder, name)).isFile())
      .map((name) => `${name}:${readFileSync(join(this.folder, name)).toString('base64')}`)
      .join('\n')
  }

  audit(...args: string[]): Promise<{ code: number; out: string; errors: string }> {
    return this.run(auditCommand, ...args)
  }

  async run(command: Command, ...args: string[]): Promise<{ code: number; out: string; errors: string }> {
    const out: string[] = []
    const errors: string[] = []
    const plain = (text: string): string => text
    const code = await command.run(args, {
      out: (line) => void out.push(line),
      error: (line) => void errors.push(line),
      progress: () => {},
      ...{ bold: plain, red: plain, green: plain },
    })
    return { code, out: out.join('\n'), errors: errors.join('\n') }
  }
}

/** Of a state without chunks. */
export const emptyRoot: Uint8Array = new MerkleTree(nodeHasher, 'state-node').root([])
