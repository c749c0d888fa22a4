// `quorate snapshot verify PATH`: are these snapshots what the network has agreed on? Reads all of them, and writes nothing.

import { existsSync } from 'node:fs'
import { toHex } from '../../kernel/hex.ts'
import type { ReadNetwork } from '../../kernel/network-file.ts'
import type { StoredSnapshot } from '../../storage/snapshots/snapshot-store.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { readNetworkFile } from '../network-files.ts'
import { flag, parseOptions, text, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { networkPathFor } from '../replica-folder.ts'
import { certificateFault, faultOf, judgeChunks, requireNetwork } from '../snapshot/judge-snapshot.ts'
import { newestOf, readSnapshotsAt, type OpenedSnapshots } from '../snapshot/open-snapshots-at.ts'

const spec: CommandSpec = {
  name: 'snapshot verify',
  summary: 'reads snapshots and says whether they are whole, and what a quorum signed',
  usage: 'quorate snapshot verify PATH [--network FILE] [--json]',
  options: [
    { name: 'network', value: 'FILE', description: 'the network file', default: 'network.json in PATH or above it' },
    { name: 'json', description: 'prints one JSON object for each snapshot, a line each' },
  ],
  examples: ['quorate snapshot verify net/replica-1', 'quorate snapshot verify backup --network net/network.json'],
}

export const snapshotVerifyCommand: Command = { spec, run }

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  const [path, ...rest] = parsed.positionals
  if (path === undefined || rest.length > 0) throw new UsageError('say: snapshot verify PATH')
  const network = networkOf(path, text(parsed, 'network', ''))
  if (network === null) output.error('no network file: the signatures are not checked; name one with --network')
  const opened = await readSnapshotsAt(path)
  try {
    if (network !== null) requireNetwork(opened, network)
    const snapshots = [...opened.store.damaged, ...opened.store.stable]
    if (snapshots.length === 0) newestOf(opened)
    let isSound = true
    for (const snapshot of snapshots) {
      const fault = await report(opened, snapshot, network, output, flag(parsed, 'json'))
      isSound &&= fault === null
    }
    return isSound ? exitCode.ok : exitCode.failed
  } finally {
    await opened.close()
  }
}

function networkOf(path: string, named: string): ReadNetwork | null {
  const found = named === '' ? networkPathFor(path) : named
  return named === '' && !existsSync(found) ? null : readNetworkFile(found)
}

async function report(
  { store, network: id }: OpenedSnapshots,
  snapshot: StoredSnapshot,
  network: ReadNetwork | null,
  output: Output,
  json: boolean,
): Promise<string | null> {
  const { checkpoint } = snapshot
  const { height } = checkpoint.header
  const verdict = await judgeChunks(store, snapshot)
  const unsigned = network === null ? null : certificateFault(checkpoint, network)
  const fault = faultOf(verdict) ?? (unsigned === null ? null : `its certificate has ${unsigned}`)
  const { chunks, bytes, damaged, isOfRoot } = verdict
  if (json) {
    const signers = checkpoint.signatures.map(({ replica }) => replica)
    const about = { height, chunks, bytes, damaged, isOfRoot, signers, areSignaturesChecked: network !== null }
    output.out(JSON.stringify({ ok: fault === null, ...about, network: toHex(id), fault }))
  } else if (fault === null) {
    const signed = network === null ? 'signatures not checked' : `signed by a quorum (${checkpoint.signatures.length})`
    output.out(`sound: height ${height}, ${chunks} chunks, ${bytes} bytes, ${signed}`)
  } else output.error(`height ${height}: ${fault}: take a snapshot of another replica (ERR_SNAPSHOT_DAMAGED)`)
  return fault
}
