// Which messages order a block, and which change a view. All else is counted apart: heartbeats and statuses, checkpoints, what is fetched or handed on.

import type { ProtocolName } from '../../kernel/ids.ts'

export const orderingMessages: Readonly<Record<ProtocolName, readonly string[]>> = {
  raft: ['append', 'append-answer'],
  pbft: ['pre-prepare', 'prepare', 'commit'],
  hotstuff: ['proposal', 'vote'],
}

export const changingMessages: Readonly<Record<ProtocolName, readonly string[]>> = {
  raft: ['vote-request', 'vote-answer'],
  pbft: ['view-change', 'new-view'],
  hotstuff: ['timeout'],
}
