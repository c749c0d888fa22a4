// What a view change costs in the worst good case: every slot of every window prepared, its primary dead, everybody else up. Counted until all
// that are up take part in the next view; what is then prepared and committed again costs what blocks cost.
//
// The table in docs/protocols/pbft.md is printed by bench/view-change.ts.

import { encode } from '../../../src/wire/codec.ts'
import { pbftMessageCodec } from '../../../src/protocols/pbft/messages.ts'
import type { SignatureSuite } from '../../../src/kernel/crypto-ports.ts'
import { Bench, kinds, timeoutMs, type Replica } from './bench.ts'
import * as forge from './forging.ts'

export interface ViewChangeCost {
  voters: number
  quorum: number
  messages: number
  bytes: number
  viewChangeBytes: number
  newViewBytes: number
  made: number
  /** By the new primary, and by the busiest backup. */
  checkedByPrimary: number
  checkedByBackup: number
}

const ofTheChange = kinds('view-change', 'new-view', 'ask-view-changes')

/** Everybody but the dead primary has every slot of the window prepared, and nothing has been sent. */
export function fullWindows(voters: number, windowBlocks: number, suite?: SignatureSuite): Bench {
  const bench = new Bench({
    voters,
    parameters: { pbft: { windowBlocks }, timers: { heartbeatMs: 60_000, retransmitMs: 60_000 } },
    ...(suite === undefined ? {} : { suite }),
  })
  const up = upOf(bench)
  for (let height = 1; height <= windowBlocks; height++) fillSlot(bench, height)
  for (const replica of up) {
    replica.durable = replica.persisted
    replica.start()
  }
  bench.take()
  bench.sent.length = 0
  for (const replica of bench.replicas) replica.signatures.made = replica.signatures.checked = 0
  return bench
}

export function upOf(bench: Bench): Replica[] {
  const primary = 1
  return bench.replicas.filter(({ id }) => id !== primary)
}

export function viewChangeCost(voters: number, windowBlocks: number): ViewChangeCost {
  const bench = fullWindows(voters, windowBlocks)
  const up = upOf(bench)
  const { quorum } = bench.membership
  bench.elapse(timeoutMs + 1, ofTheChange)
  for (let round = 0; up.some(({ status }) => status.leader !== 2); round++) {
    if (round > 100_000) throw new Error('no view is reached')
    for (const replica of up) if (replica.timers.has('judge')) replica.fire('judge')
    bench.settle(ofTheChange)
  }
  // Backups prepare at once what is proposed again: those signatures belong to the blocks.
  const made = up.length + 1 + windowBlocks
  const sent = bench.sent.filter(ofTheChange)
  // One message to many is encoded once.
  const known = new Map<string, number>()
  const sizes = sent.map(({ from, message }) => {
    const { kind } = message
    const name = `${from} ${kind} ${kind === 'view-change' ? message.sender : ''}`
    const bytes = known.get(name) ?? encode(pbftMessageCodec, message).length
    known.set(name, bytes)
    return { kind, bytes }
  })
  const largest = (kind: string): number =>
    Math.max(...sizes.filter((one) => one.kind === kind).map(({ bytes }) => bytes))
  const backups = up.filter(({ id }) => id !== 2)
  return {
    voters,
    quorum,
    messages: sent.length,
    bytes: sizes.reduce((total, { bytes }) => total + bytes, 0),
    viewChangeBytes: largest('view-change'),
    newViewBytes: largest('new-view'),
    made,
    checkedByPrimary: bench.replica(2).signatures.checked,
    checkedByBackup: Math.max(...backups.map(({ signatures }) => signatures.checked)),
  }
}

/** Prepared by everybody that is up; each has the prepares that came first, and these are not the same everywhere. */
function fillSlot(bench: Bench, height: number): void {
  const voters = bench.epoch.members.map(({ id }) => Number(id))
  const forged = forge.block(bench, height, `block ${height}`)
  const signed = forge.certificate(bench, 0, forged, 1, voters.slice(1))
  const needed = bench.membership.quorum - 1
  for (const replica of bench.replicas.slice(1)) {
    const { header, payload } = forged
    const { signature, prepares } = signed
    const others = prepares.filter((prepare) => prepare.replica !== replica.id)
    const own = prepares.filter((prepare) => prepare.replica === replica.id)
    const first = (height + replica.id) % others.length
    const around = [...others.slice(first), ...others.slice(0, first)].slice(0, needed - 1)
    const chosen = [...own, ...around].sort((left, right) => left.replica - right.replica)
    const sequence = replica.persisted + 1
    replica.disk.push({ sequence, record: { kind: 'proposal', view: 0, header, signature, payload } })
    const certificate = { view: 0, header, signature, prepares: chosen }
    replica.disk.push({ sequence: sequence + 1, record: { kind: 'prepared', certificate } })
  }
}

/** All of it grows by the same with each block of the window: counted for two small windows, and extended. A test compares. */
export function extendedCost(voters: number, windowBlocks: number): ViewChangeCost {
  const [small, large] = [viewChangeCost(voters, 8), viewChangeCost(voters, 16)]
  const extended = (of: (cost: ViewChangeCost) => number): number =>
    of(small) + ((of(large) - of(small)) / 8) * (windowBlocks - 8)
  return {
    voters,
    quorum: small.quorum,
    messages: extended(({ messages }) => messages),
    bytes: extended(({ bytes }) => bytes),
    viewChangeBytes: extended(({ viewChangeBytes }) => viewChangeBytes),
    newViewBytes: extended(({ newViewBytes }) => newViewBytes),
    made: extended(({ made }) => made),
    checkedByPrimary: extended(({ checkedByPrimary }) => checkedByPrimary),
    checkedByBackup: extended(({ checkedByBackup }) => checkedByBackup),
  }
}

export const tableHead: string = [
  '| n | quorum | messages | MiB on all links | KiB of a VIEW-CHANGE | KiB of the NEW-VIEW | signatures made | checked by the new primary | checked by a backup |',
  '|---|---|---|---|---|---|---|---|---|',
].join('\n')

export function tableRow(cost: ViewChangeCost): string {
  const { voters, quorum, messages, bytes, viewChangeBytes, newViewBytes, made, checkedByPrimary, checkedByBackup } =
    cost
  const sizes = [(bytes / 1024 / 1024).toFixed(1), Math.round(viewChangeBytes / 1024), Math.round(newViewBytes / 1024)]
  return `| ${[voters, quorum, messages, ...sizes, made, checkedByPrimary, checkedByBackup].join(' | ')} |`
}
