/**
 * `quorate snapshot restore`: puts a saved snapshot beside those of a stopped replica, which starts from it and fetches what came after.
 *
 * It touches the folder of the snapshots and nothing else. What a voter has promised stands in its log: a snapshot cannot bring that
 * back, and a replica whose log is lost follows without a vote whatever is restored (`quorate start --rejoin`).
 */

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { toHex } from '../../kernel/hex.ts'
import { decodeIdentity, identityBytesMax, identityFile } from '../../storage/log/format.ts'
import { crc32 } from '../../storage/node/crc32.ts'
import { logFolder } from '../../storage/node/create-data-directory.ts'
import { lockDirectory } from '../../storage/node/directory-lock.ts'
import { makeFolder, syncNames } from '../../storage/node/folders.ts'
import { openNodeDirectory } from '../../storage/node/node-directory.ts'
import { snapshotFolder } from '../../storage/node/open-snapshot-folder.ts'
import type { StoredSnapshot } from '../../storage/snapshots/snapshot-store.ts'
import type { ReadNetwork } from '../../kernel/network-file.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { readNetworkFile } from '../network-files.ts'
import { flag, parseOptions, requiredText, text, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { networkPathFor } from '../replica-folder.ts'
import { dataFolderName } from '../setup/local-network.ts'
import { copySnapshot } from '../snapshot/copy-snapshot.ts'
import { certificateFault, faultOf, judgeChunks, requireNetwork } from '../snapshot/judge-snapshot.ts'
import { newestOf, openSnapshotsAt, readSnapshotsAt, type OpenedSnapshots } from '../snapshot/open-snapshots-at.ts'

const spec: CommandSpec = {
  name: 'snapshot restore',
  summary: 'gives a stopped replica a saved snapshot to start from',
  usage: 'quorate snapshot restore PATH --dir DIR [--network FILE] [--json]',
  options: [
    { name: 'dir', value: 'DIR', description: "the folder of a replica of the snapshot's network" },
    { name: 'network', value: 'FILE', description: 'the network file', default: 'network.json in DIR or above it' },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: ['quorate snapshot restore backup --dir net/replica-2'],
}

export const snapshotRestoreCommand: Command = { spec, run }

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  const [path, ...rest] = parsed.positionals
  if (path === undefined || rest.length > 0) throw new UsageError('say: snapshot restore PATH --dir DIR')
  const dir = resolve(requiredText(parsed, spec, 'dir'))
  const network = readNetworkFile(text(parsed, 'network', networkPathFor(dir)))
  const data = dataDirectoryOf(dir)
  await requireOwner(data, network)
  const source = await readSnapshotsAt(path)
  try {
    requireNetwork(source, network)
    const snapshot = newestOf(source)
    await requireSound(source, snapshot, network)
    const copied = await underLock(data, () => restore(source, snapshot, data))
    const { height } = snapshot.checkpoint.header
    if (flag(parsed, 'json')) output.out(JSON.stringify({ ok: true, dir, height, ...copied }))
    else output.out(`restored the snapshot of height ${height}: the replica starts from it and fetches what came after`)
    return exitCode.ok
  } finally {
    await source.close()
  }
}

async function restore(source: OpenedSnapshots, snapshot: StoredSnapshot, data: string) {
  const folder = join(data, snapshotFolder)
  const firstMade = makeFolder(folder)
  if (firstMade !== null) syncNames(folder, firstMade)
  const target = await openSnapshotsAt(folder, source.network)
  try {
    const { height } = snapshot.checkpoint.header
    const present = target.store.stable[0]?.checkpoint.header.height ?? 0
    if (present >= height) {
      const message = `the replica has a snapshot of height ${present} already, and ${height} is not newer: nothing was changed`
      throw new Failure('ERR_SNAPSHOT_NOT_NEWER', message)
    }
    const copied = await copySnapshot(source.store, snapshot, target)
    if (copied === null) throw damaged(source.path, 'a chunk cannot be read')
    return copied
  } finally {
    await target.close()
  }
}

function dataDirectoryOf(dir: string): string {
  for (const data of [join(dir, dataFolderName), dir]) {
    if (existsSync(join(data, logFolder, identityFile))) return data
  }
  const message = `${dir} has no data directory of a replica: make it with quorate init, or start it with --rejoin if its log is lost`
  throw new Failure('ERR_DATA_DIRECTORY_MISSING', message)
}

async function requireOwner(data: string, { epoch }: ReadNetwork): Promise<void> {
  const directory = openNodeDirectory(join(data, logFolder))
  const read = directory.read(identityFile, 0, identityBytesMax)
  await directory.close()
  const identity = read.ok ? decodeIdentity(read.bytes, crc32) : null
  if (identity === null) {
    const message = `${data} does not say whose log it is (${identityFile} is damaged): start --rejoin sets it aside`
    throw new Failure('ERR_LOG_CORRUPT', message)
  }
  if (toHex(identity.network) === toHex(epoch.network)) return
  const message = `${data} is of network ${toHex(identity.network)}, and the network file is of another: name files of one network`
  throw new Failure('ERR_OTHER_NETWORK', message)
}

async function requireSound(source: OpenedSnapshots, snapshot: StoredSnapshot, network: ReadNetwork): Promise<void> {
  const unsigned = certificateFault(snapshot.checkpoint, network)
  if (unsigned !== null) {
    const message = `${source.path}: no quorum of the network has signed this snapshot (${unsigned}): take one of a replica of it`
    throw new Failure('ERR_SNAPSHOT_UNSIGNED', message)
  }
  const fault = faultOf(await judgeChunks(source.store, snapshot))
  if (fault !== null) throw damaged(source.path, fault)
}

function damaged(path: string, fault: string): Failure {
  return new Failure('ERR_SNAPSHOT_DAMAGED', `${path}: ${fault}: take a snapshot of another replica`)
}

async function underLock<Value>(data: string, act: () => Promise<Value>): Promise<Value> {
  const lock = lockDirectory(data)
  if (!lock.ok) throw new Failure(lock.code, lock.message)
  try {
    return await act()
  } finally {
    lock.release()
  }
}
