// `quorate snapshot save`: copies the newest snapshot out of a replica's folder, whether the replica runs or not.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { syncFolder } from '../../storage/node/folders.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure, systemCode } from '../failure.ts'
import { flag, parseOptions, requiredText, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { copySnapshot } from '../snapshot/copy-snapshot.ts'
import { newestOf, openSnapshotsAt, readSnapshotsAt } from '../snapshot/open-snapshots-at.ts'

const spec: CommandSpec = {
  name: 'snapshot save',
  summary: "copies a replica's newest snapshot, with its certificate, to a new folder",
  usage: 'quorate snapshot save --dir DIR --to FOLDER [--json]',
  options: [
    { name: 'dir', value: 'DIR', description: "the replica's folder; the replica may run" },
    { name: 'to', value: 'FOLDER', description: 'a folder that does not exist or is empty' },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: ['quorate snapshot save --dir net/replica-1 --to backup'],
}

export const snapshotSaveCommand: Command = { spec, run }

/** A replica that runs may let go of a snapshot while it is copied: then there is a newer one. */
const attemptsMax = 5
const pauseMs = 200

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  if (parsed.positionals.length > 0) throw new UsageError(`${parsed.positionals[0]} is not an option`)
  const from = requiredText(parsed, spec, 'dir')
  const to = resolve(requiredText(parsed, spec, 'to'))
  const wasThere = requireVacant(to)
  for (let attempt = 1; ; attempt++) {
    const saved = await save(from, to, wasThere)
    if (saved !== null) {
      const { height, chunks, bytes } = saved
      if (flag(parsed, 'json')) output.out(JSON.stringify({ ok: true, to, ...saved }))
      else output.out(`saved the snapshot of height ${height} in ${to}: ${chunks} chunks, ${bytes} bytes`)
      return exitCode.ok
    }
    if (attempt === attemptsMax) {
      const message = `${from}: a chunk of the newest snapshot cannot be read: take the snapshot of another replica`
      throw new Failure('ERR_SNAPSHOT_DAMAGED', message)
    }
    await setTimeout(pauseMs)
  }
}

/** Null if a chunk could not be read. A failure leaves nothing behind. */
async function save(
  from: string,
  to: string,
  wasThere: boolean,
): Promise<{ height: number; chunks: number; bytes: number } | null> {
  const source = await readSnapshotsAt(from)
  let isSaved = false
  try {
    const snapshot = newestOf(source)
    makeFolder(to)
    const target = await openSnapshotsAt(to, source.network)
    try {
      const copied = await copySnapshot(source.store, snapshot, target)
      isSaved = copied !== null
      return copied === null ? null : { height: snapshot.checkpoint.header.height, ...copied }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
    if (!isSaved) clear(to, wasThere)
  }
}

/** Whether it exists; then it is empty. */
function requireVacant(folder: string): boolean {
  if (!existsSync(folder)) return false
  try {
    if (readdirSync(folder).length === 0) return true
  } catch (error) {
    throw unusable(folder, error)
  }
  throw new Failure('ERR_FOLDER_NOT_EMPTY', `${folder} is not empty: name a new folder, or empty that one`)
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    syncFolder(resolve(folder, '..'))
  } catch (error) {
    throw unusable(folder, error)
  }
}

function clear(folder: string, wasThere: boolean): void {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) rmSync(resolve(folder, name), { force: true })
  if (!wasThere) rmSync(folder, { recursive: true, force: true })
}

function unusable(folder: string, error: unknown): Failure {
  const message = `${folder} cannot be made (${systemCode(error)}): name a folder that you may write to`
  return new Failure('ERR_FILE_NOT_WRITTEN', message)
}
