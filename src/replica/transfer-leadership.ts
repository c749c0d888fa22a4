// An embedding application's wish that somebody else leads, from the wish to what came of it.

import type { ReplicaId } from '../kernel/ids.ts'
import type { ProtocolEvent } from '../kernel/protocol.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import type { ReplicaEvents } from './events.ts'

export interface TransferLeadershipOptions {
  /** Default: the one that is fit for it best. */
  to?: ReplicaId
  /** Default: 10 seconds. */
  deadlineMs?: number
}

const deadlineMsDefault = 10_000

const refusals: Readonly<Record<string, string>> = {
  'not-leader': 'this replica does not lead: ask the one that does',
  'under-way': 'leadership is being handed over already: wait for that',
  'nobody-connected': 'no other voter is connected: start one, or wait',
  'leads-already': 'this replica leads already: name another',
  'no-voter': 'the one named has no vote: name a voter',
  'leaders-take-turns': 'leaders take turns by themselves: nobody can be asked to',
  abstains: 'the one named follows without a vote: name another',
}

/** Resolves with whoever leads then. */
export function transferLeadership(
  events: ReplicaEvents,
  self: ReplicaId,
  command: () => void,
  deadlineMs: number = deadlineMsDefault,
): Promise<ReplicaId> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      for (const stop of listening) stop()
      settle()
    }
    const refuse = (reason: string): void =>
      end(() => reject(new QuorateError('ERR_TRANSFER_REFUSED', refusals[reason] ?? reason, { certainty: 'definite' })))
    const listening = [
      events.on('protocol', ({ kind, detail }: ProtocolEvent) => {
        if (kind === 'transfer-refused') refuse(String(detail?.['reason']))
        else if (kind === 'transfer-failed') refuse('the other did not take over in time: this replica leads on')
      }),
      events.on('leader', ({ leader }) => {
        if (leader !== null && leader !== self) end(() => resolve(leader))
      }),
      events.on('failed', ({ cause }) => end(() => reject(cause))),
    ]
    const timer = setTimeout(() => {
      const message = `nobody else leads after ${deadlineMs} ms: look at the status of the others`
      end(() => reject(new QuorateError('ERR_DEADLINE', message, { certainty: 'indefinite' })))
    }, deadlineMs)
    command()
  })
}
