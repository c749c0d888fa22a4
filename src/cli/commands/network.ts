// `quorate network …`: what a consortium does with its network file, in the order in which it does it.

import type { CommandGroup } from '../command.ts'
import { networkApproveCommand } from './network-approve.ts'
import { networkAssembleCommand } from './network-assemble.ts'
import { networkCheckCommand } from './network-check.ts'
import { networkMergeCommand } from './network-merge.ts'

export const networkCommands: CommandGroup = {
  name: 'network',
  summary: 'makes, approves, merges and checks a network file',
  commands: [networkAssembleCommand, networkApproveCommand, networkMergeCommand, networkCheckCommand],
}
