// `quorate wal …`: a replica's log, offline.

import type { CommandGroup } from '../command.ts'
import { walInspectCommand } from './wal-inspect.ts'
import { walVerifyCommand } from './wal-verify.ts'

export const walCommands: CommandGroup = {
  name: 'wal',
  summary: "inspects and verifies a replica's log, offline",
  commands: [walInspectCommand, walVerifyCommand],
}
