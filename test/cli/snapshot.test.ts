// Saved, verified, restored: nothing that is damaged, unsigned, foreign or older gets into a replica's folder, and its log is not touched.

import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { snapshotRestoreCommand } from '../../src/cli/commands/snapshot-restore.ts'
import { snapshotSaveCommand } from '../../src/cli/commands/snapshot-save.ts'
import { snapshotVerifyCommand } from '../../src/cli/commands/snapshot-verify.ts'
import type { Command } from '../../src/cli/command.ts'
import { Failure } from '../../src/cli/failure.ts'
import { UsageError } from '../../src/cli/options.ts'
import { createLocalNetwork, replicaFolder } from '../../src/cli/setup/local-network.ts'
import { openSnapshotsAt } from '../../src/cli/snapshot/open-snapshots-at.ts'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import { readKeyFile } from '../../src/crypto/node/key-file.ts'
import { nodeHasher } from '../../src/crypto/node/sha256-hasher.ts'
import { ChunkHasher } from '../../src/execution/chunk-hasher.ts'
import { MerkleTree } from '../../src/execution/merkle.ts'
import { blockDigest } from '../../src/kernel/block.ts'
import { signingBytes } from '../../src/kernel/domains.ts'
import { executedHeaderCodec } from '../../src/kernel/executed-header.ts'
import { replicaId } from '../../src/kernel/ids.ts'
import type { ReadNetwork } from '../../src/kernel/network-file.ts'
import { lockDirectory } from '../../src/storage/node/directory-lock.ts'
import { makeFolder } from '../../src/storage/node/folders.ts'
import { encode } from '../../src/wire/codec.ts'

let folder = ''
let network: ReadNetwork
const net = (): string => join(folder, 'net')
const replica = (id: number): string => replicaFolder(net(), id)
const snapshots = (id: number): string => join(replica(id), 'data/snapshots')

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-snapshot-'))
  network = await makeNetwork(net())
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function makeNetwork(dir: string): Promise<ReadNetwork> {
  const made = await createLocalNetwork({
    dir,
    name: 'harbour',
    protocol: 'raft',
    replicas: 3,
    host: '127.0.0.1',
    port: 4100,
  })
  return made.network
}

const hasher = new ChunkHasher(nodeHasher)

function chunksOf(contents: readonly string[]) {
  return contents.map((content, index) => {
    const bytes = new TextEncoder().encode(content)
    const id = Uint8Array.of(index)
    return { entry: { part: 4, id, digest: hasher.digest(4, id, bytes), size: bytes.length }, bytes }
  })
}

/** What a replica's own checkpoint leaves on its disk, signed by whom we say. */
async function writeSnapshot(id: number, height: number, contents: readonly string[], signers = [1, 2]): Promise<void> {
  const chunks = chunksOf(contents)
  const block = { epoch: 1, height, timestamp: 5, payloadDigest: new Uint8Array(32) }
  const zeros = new Uint8Array(32)
  const stateRoot = new MerkleTree(nodeHasher, 'state-node').root(chunks.map(({ entry }) => entry.digest))
  const header = {
    epoch: 1,
    height,
    parent: zeros,
    blockDigest: blockDigest(nodeHasher, block),
    resultsRoot: zeros,
    stateRoot,
    time: 5,
  }
  const scope = { network: network.epoch.network, epoch: 1, protocol: 'raft' } as const
  const signed = signingBytes('checkpoint', scope, encode(executedHeaderCodec, header))
  const signatures = signers.map((signer) => {
    const key = readKeyFile(join(replica(signer), 'consensus.key'), 'consensus')
    if (!key.ok) throw new Error(key.message)
    return { replica: replicaId(signer), signature: nodeEd25519.signer(key.pair.secretKey).sign(signed) }
  })
  makeFolder(snapshots(id))
  const { store, close } = await openSnapshotsAt(snapshots(id), network.epoch.network)
  const writer = store.begin(
    header,
    chunks.map(({ entry }) => entry),
  )
  for (const { entry, bytes } of chunks) writer.add(entry, bytes)
  await new Promise<void>((resolve, reject) => {
    writer.finish((error) => {
      if (error !== null) return reject(new Error(error.message))
      const checkpoint = { header, signatures, block, proof: { kind: 'raft', term: 1, index: height } as const }
      store.certify(checkpoint, (error) => (error === null ? resolve() : reject(new Error(error.message))))
    })
  })
  await close()
}

async function run(command: Command, ...args: string[]): Promise<{ code: number; out: string[]; errors: string[] }> {
  const out: string[] = []
  const errors: string[] = []
  const plain = (text: string): string => text
  const output = {
    out: (line: string) => void out.push(line),
    error: (line: string) => void errors.push(line),
    progress: () => {},
    ...{ bold: plain, red: plain, green: plain },
  }
  return { code: await command.run(args, output), out, errors }
}

async function refusal(command: Command, ...args: string[]): Promise<string> {
  try {
    const { code } = await run(command, ...args)
    return `exit ${code}`
  } catch (error) {
    if (error instanceof Failure) return error.code
    throw error
  }
}

/** Names and contents of all files below, but the snapshots. */
function contentsOf(path: string): string {
  const hash = createHash('sha256')
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true }).sort((left, right) =>
    left.name < right.name ? -1 : 1,
  )) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile() && !file.includes('/snapshots/')) hash.update(file).update(readFileSync(file))
  }
  return hash.digest('hex')
}

function damage(path: string, prefix: string, at: number): void {
  const name = readdirSync(path).find((one) => one.startsWith(prefix))!
  const bytes = readFileSync(join(path, name))
  bytes[at < 0 ? bytes.length + at : at]! ^= 1
  writeFileSync(join(path, name), bytes)
}

describe('a snapshot', () => {
  it('goes from one replica to another, and touches nothing but the snapshots there', async () => {
    await writeSnapshot(1, 10, ['old'])
    await writeSnapshot(1, 20, ['one', 'two'])
    const backup = join(folder, 'backup')
    const saved = await run(snapshotSaveCommand, '--dir', replica(1), '--to', backup, '--json')
    expect(saved.code).toBe(0)
    expect(JSON.parse(saved.out[0]!)).toEqual({ ok: true, to: backup, height: 20, chunks: 2, bytes: 6 })
    const networkFile = join(net(), 'network.json')
    const verified = await run(snapshotVerifyCommand, backup, '--network', networkFile, '--json')
    expect(verified.code).toBe(0)
    expect(JSON.parse(verified.out[0]!)).toMatchObject({
      ok: true,
      height: 20,
      signers: [1, 2],
      areSignaturesChecked: true,
    })
    const before = contentsOf(replica(2))
    expect((await run(snapshotRestoreCommand, backup, '--dir', replica(2))).code).toBe(0)
    expect(contentsOf(replica(2))).toBe(before)
    expect((await run(snapshotVerifyCommand, replica(2), '--json')).out.length).toBe(1)
    const { store, close } = await openSnapshotsAt(snapshots(2), network.epoch.network, true)
    expect(store.stable.map(({ checkpoint }) => checkpoint.header.height)).toEqual([20])
    expect(chunksOf(['one', 'two']).map(({ entry }) => store.read(entry))).toEqual(
      chunksOf(['one', 'two']).map(({ bytes }) => bytes),
    )
    await close()
  })

  it('is saved while a replica has the folder, and in no folder that holds something', async () => {
    await writeSnapshot(1, 20, ['one'])
    const lock = lockDirectory(join(replica(1), 'data'))
    expect(await refusal(snapshotSaveCommand, '--dir', replica(1), '--to', net())).toBe('ERR_FOLDER_NOT_EMPTY')
    expect((await run(snapshotSaveCommand, '--dir', replica(1), '--to', join(folder, 'backup'))).code).toBe(0)
    if (lock.ok) lock.release()
  })

  it('that is not there is said to be none', async () => {
    expect(await refusal(snapshotSaveCommand, '--dir', replica(1), '--to', join(folder, 'backup'))).toBe(
      'ERR_SNAPSHOT_NONE',
    )
    expect(await refusal(snapshotVerifyCommand, replica(1))).toBe('ERR_SNAPSHOT_NONE')
    expect(readdirSync(folder)).toEqual(['net'])
  })

  it('of which a chunk is damaged is found out, neither saved nor restored', async () => {
    await writeSnapshot(1, 20, ['one', 'two'])
    damage(snapshots(1), 'pack', 14 + 52)
    expect(await refusal(snapshotVerifyCommand, replica(1))).toBe('exit 1')
    expect(await refusal(snapshotSaveCommand, '--dir', replica(1), '--to', join(folder, 'backup'))).toBe(
      'ERR_SNAPSHOT_DAMAGED',
    )
    expect(await refusal(snapshotRestoreCommand, replica(1), '--dir', replica(2))).toBe('ERR_SNAPSHOT_DAMAGED')
    expect(readdirSync(folder)).toEqual(['net'])
    expect(readdirSync(join(replica(2), 'data'))).not.toContain('snapshots')
  })

  it('that no quorum has signed is found out, and not restored', async () => {
    await writeSnapshot(1, 20, ['one'], [1])
    expect(await refusal(snapshotVerifyCommand, replica(1))).toBe('exit 1')
    expect(await refusal(snapshotRestoreCommand, replica(1), '--dir', replica(2))).toBe('ERR_SNAPSHOT_UNSIGNED')
    // Without the network file nobody can tell, and that is said.
    const saved = join(folder, 'backup')
    await run(snapshotSaveCommand, '--dir', replica(1), '--to', saved)
    const verified = await run(snapshotVerifyCommand, saved)
    expect([verified.code, verified.errors[0]]).toEqual([0, expect.stringContaining('signatures are not checked')])
  })

  it('of another network is refused', async () => {
    await writeSnapshot(1, 20, ['one'])
    await makeNetwork(join(folder, 'other'))
    const other = join(folder, 'other')
    expect(await refusal(snapshotVerifyCommand, replica(1), '--network', join(other, 'network.json'))).toBe(
      'ERR_OTHER_NETWORK',
    )
    expect(await refusal(snapshotRestoreCommand, replica(1), '--dir', replicaFolder(other, 1))).toBe(
      'ERR_OTHER_NETWORK',
    )
    const named = ['--network', join(net(), 'network.json')]
    expect(await refusal(snapshotRestoreCommand, replica(1), '--dir', replicaFolder(other, 1), ...named)).toBe(
      'ERR_OTHER_NETWORK',
    )
  })

  it('is not restored over a newer one, nor under a replica that runs, nor where no replica is', async () => {
    await writeSnapshot(1, 20, ['one'])
    await writeSnapshot(2, 30, ['two'])
    await writeSnapshot(3, 10, ['three'])
    expect(await refusal(snapshotRestoreCommand, replica(1), '--dir', replica(2))).toBe('ERR_SNAPSHOT_NOT_NEWER')
    const lock = lockDirectory(join(replica(3), 'data'))
    expect(await refusal(snapshotRestoreCommand, replica(1), '--dir', replica(3))).toBe('ERR_DIRECTORY_LOCKED')
    if (lock.ok) lock.release()
    expect(
      await refusal(
        snapshotRestoreCommand,
        replica(1),
        '--dir',
        join(folder, 'nowhere'),
        '--network',
        join(net(), 'network.json'),
      ),
    ).toBe('ERR_DATA_DIRECTORY_MISSING')
    expect(await refusal(snapshotRestoreCommand, replica(1), '--dir', replica(3))).toBe('exit 0')
    // The older one stays, for the case that the newer one's disk is not whole.
    expect((await run(snapshotVerifyCommand, replica(3))).out.length).toBe(2)
  })

  it('is asked for rightly, or nothing is done', async () => {
    for (const [command, args] of [
      [snapshotSaveCommand, ['--dir', replica(1)]],
      [snapshotVerifyCommand, []],
      [snapshotRestoreCommand, ['--dir', replica(1)]],
    ] as const) {
      await expect(run(command, ...args)).rejects.toBeInstanceOf(UsageError)
    }
  })
})
