// What replicas have said in all their lives, held against what a correct one may say.

import { encode } from '../../../src/wire/codec.ts'
import { blockDigest } from '../../../src/kernel/block.ts'
import { toHex } from '../../../src/kernel/hex.ts'
import { newViewBodyCodec, viewChangeBodyCodec, type PbftMessage } from '../../../src/protocols/pbft/messages.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import type { Sent } from './bench.ts'

/** What may be said once only, and what was said. */
function said(message: PbftMessage): { once: string; what: string } | null {
  switch (message.kind) {
    case 'pre-prepare': {
      const { view, header } = message
      return { once: `pre-prepare ${view} ${header.height}`, what: toHex(blockDigest(simulatedHasher, header)) }
    }
    case 'prepare':
    case 'commit':
      return { once: `${message.kind} ${message.view} ${message.height}`, what: toHex(message.digest) }
    case 'view-change':
      return {
        once: `view-change of ${message.sender} ${message.view}`,
        what: toHex(simulatedHasher.digest(encode(viewChangeBodyCodec, message))),
      }
    case 'new-view':
      return {
        once: `new-view ${message.view}`,
        what: toHex(simulatedHasher.digest(encode(newViewBodyCodec, message))),
      }
    default:
      return null
  }
}

export function contradictions(sent: readonly Sent[]): string[] {
  const first = new Map<string, string>()
  const found: string[] = []
  for (const { from, message } of sent) {
    const one = said(message)
    if (one === null) continue
    const by = message.kind === 'view-change' || message.kind === 'new-view' ? '' : `${from} `
    const known = first.get(by + one.once)
    if (known === undefined) first.set(by + one.once, one.what)
    else if (known !== one.what) found.push(by + one.once)
  }
  return found
}

/** Prepared, committed in an earlier view than the replica has left: B9, R12. */
export function votesBelowAsked(sent: readonly Sent[]): string[] {
  const asked = new Map<number, number>()
  const found: string[] = []
  for (const { from, message } of sent) {
    if (message.kind === 'view-change' && message.sender === from)
      asked.set(from, Math.max(asked.get(from) ?? 0, message.view))
    if ((message.kind === 'prepare' || message.kind === 'commit') && message.view < (asked.get(from) ?? 0))
      found.push(`${from} ${message.kind} ${message.view}`)
  }
  return found
}
