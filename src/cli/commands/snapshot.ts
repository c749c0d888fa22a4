// `quorate snapshot …`: the certified states of a replica, as files.

import type { CommandGroup } from '../command.ts'
import { snapshotRestoreCommand } from './snapshot-restore.ts'
import { snapshotSaveCommand } from './snapshot-save.ts'
import { snapshotVerifyCommand } from './snapshot-verify.ts'

export const snapshotCommands: CommandGroup = {
  name: 'snapshot',
  summary: "saves, verifies and restores a replica's snapshots",
  commands: [snapshotSaveCommand, snapshotVerifyCommand, snapshotRestoreCommand],
}
