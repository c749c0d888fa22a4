// What all replicas together have done between two moments: the sum of what each of them counts of itself.

import type { Work } from '../../replica/core/work-counts.ts'

export interface Tally {
  frames: number
  /** In frames: everything that one replica sends another. */
  frameBytes: number
  /** By name. */
  messages: Readonly<Record<string, number>>
  /** Of the messages by name, without what a frame has beside them. */
  messageBytes: Readonly<Record<string, number>>
  /** The protocol's own. */
  signaturesMade: number
  signaturesChecked: number
  /** Those of clients, checked by replicas. */
  envelopesChecked: number
  /** Made and checked for checkpoints and what is fetched. */
  otherSignatures: number
  syncs: number
}

export function tallyOf(replicas: readonly { work: Work; syncs: number }[]): Tally {
  const sum = (of: (work: Work) => number): number => replicas.reduce((total, { work }) => total + of(work), 0)
  const names = [...new Set(replicas.flatMap(({ work }) => Object.keys(work.sent)))].sort()
  const byName = (of: 'messages' | 'bytes'): Record<string, number> =>
    Object.fromEntries(names.map((name) => [name, sum(({ sent }) => sent[name]?.[of] ?? 0)]))
  return {
    frames: sum(({ framesSent }) => framesSent),
    frameBytes: sum(({ bytesSent }) => bytesSent),
    messages: byName('messages'),
    messageBytes: byName('bytes'),
    signaturesMade: sum(({ signatures }) => signatures.protocol.made),
    signaturesChecked: sum(({ signatures }) => signatures.protocol.checked),
    envelopesChecked: sum(({ signatures }) => signatures.envelopes.checked),
    otherSignatures: sum(({ signatures: { checkpoints, fetching } }) =>
      [checkpoints, fetching].reduce((total, { made, checked }) => total + made + checked, 0),
    ),
    syncs: replicas.reduce((total, { syncs }) => total + syncs, 0),
  }
}

export function difference(later: Tally, earlier: Tally): Tally {
  return {
    frames: later.frames - earlier.frames,
    frameBytes: later.frameBytes - earlier.frameBytes,
    messages: less(later.messages, earlier.messages),
    messageBytes: less(later.messageBytes, earlier.messageBytes),
    signaturesMade: later.signaturesMade - earlier.signaturesMade,
    signaturesChecked: later.signaturesChecked - earlier.signaturesChecked,
    envelopesChecked: later.envelopesChecked - earlier.envelopesChecked,
    otherSignatures: later.otherSignatures - earlier.otherSignatures,
    syncs: later.syncs - earlier.syncs,
  }
}

export function sumOf(counts: Readonly<Record<string, number>>, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (counts[name] ?? 0), 0)
}

function less(
  later: Readonly<Record<string, number>>,
  earlier: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const counts = Object.entries(later).map(([name, count]) => [name, count - (earlier[name] ?? 0)] as const)
  return Object.fromEntries(counts.filter(([, count]) => count !== 0))
}
