// What it costs to give a view up, counted over the cores in the way of pbft's view change, so that the tables stand beside each other: the leader
// is dead, everybody else is up, and nothing is lost.
//
// The tables in docs/protocols/hotstuff-figures.md are printed by bench/view-change.ts.

import type { HotstuffRule } from '../../../src/kernel/parameters.ts'
import { hotstuffMessageCodec } from '../../../src/protocols/hotstuff/messages.ts'
import { encode } from '../../../src/wire/codec.ts'
import { extendedCost, fullWindows, upOf, viewChangeCost as pbftViewChangeCost } from '../pbft/view-change-costs.ts'
import { Bench, kinds, timeoutMs, type Replica, type Sent } from './bench.ts'

export interface ViewCost {
  voters: number
  quorum: number
  /** TIMEOUTs, the proposal that opens the next view, and answers to TIMEOUTs that came when a quorum had already been counted. */
  messages: number
  answers: number
  bytes: number
  timeoutBytes: number
  proposalBytes: number
  made: number
  /** By the next leader, and by whoever else checks the most. */
  checkedByLeader: number
  checkedByOther: number
}

/** One block is decided, and whoever leads the view in which all of them wait is dead. */
function withDeadLeader(voters: number, rule: HotstuffRule): { bench: Bench; up: Replica[]; view: number } {
  const bench = new Bench({
    voters,
    parameters: { hotstuff: { rule }, timers: { heartbeatMs: 60_000, retransmitMs: 60_000 } },
  }).start()
  for (const replica of bench.replicas) replica.propose('before')
  bench.settle()
  const { view, leader } = bench.replica(1).status
  bench.replica(leader!).crash()
  const up = bench.replicas.filter(({ isUp }) => isUp)
  for (const replica of up) replica.propose('after')
  bench.settle()
  bench.sent.length = 0
  for (const { signatures } of up) signatures.made = signatures.checked = 0
  return { bench, up, view }
}

/** Until all that are up have the proposal of the next view: the votes for it belong to the block. */
export function viewCost(voters: number): ViewCost {
  const { bench, up, view } = withDeadLeader(voters, 'two-chain')
  fireTogether(bench, up)
  while (up.some(({ status }) => status.view <= view)) bench.deliver(kinds('timeout'))
  const { leader } = up[0]!.status
  const next = bench.replica(leader!)
  const checkedByLeader = next.signatures.checked
  bench.settle(({ message }) => message.kind !== 'vote')
  // The leader's own vote is the block's, as everybody's is.
  const made = up.length + 1
  const sent = bench.sent.filter(({ message }) => message.kind !== 'vote')
  const sizes = sent.map(({ message }) => ({ kind: message.kind, bytes: encode(hotstuffMessageCodec, message).length }))
  const largest = (kind: string): number =>
    Math.max(...sizes.filter((one) => one.kind === kind).map(({ bytes }) => bytes))
  return {
    voters,
    quorum: bench.membership.quorum,
    messages: sent.length,
    answers: sizes.filter(({ kind }) => kind === 'newest').length,
    bytes: sizes.reduce((total, { bytes }) => total + bytes, 0),
    timeoutBytes: largest('timeout'),
    proposalBytes: largest('proposal'),
    made,
    checkedByLeader,
    checkedByOther: Math.max(...up.filter((one) => one !== next).map(({ signatures }) => signatures.checked)),
  }
}

/** One-way delays from the moment in which all give the view up until a block that waits is decided everywhere. */
export function delaysToDecision(voters: number, rule: HotstuffRule): number {
  const { bench, up } = withDeadLeader(voters, rule)
  fireTogether(bench, up)
  return roundsUntil(bench, () => up.every(({ texts }) => texts.includes('after')))
}

export function pbftDelaysToDecision(voters: number): number {
  const bench = fullWindows(voters, 1)
  const up = upOf(bench)
  fireTogether(bench, up)
  return roundsUntil(bench, () => {
    // It judges in slices, between which it is served.
    for (const replica of up) while (replica.timers.has('judge')) replica.fire('judge')
    return up.every(({ decidedHeight }) => decidedHeight === 1)
  })
}

/**
 * Blocks come one after the other, and the leader dies to whom the votes for the newest are under way. How long until the next block is decided
 * everywhere, in timeouts, when links take no time; and how many views that takes.
 */
export function outageUnderLoad(voters: number, rule: HotstuffRule): { timeouts: number; viewsGivenUp: number } {
  const bench = new Bench({
    voters,
    parameters: { hotstuff: { rule }, batch: { operationsMax: 1, lingerMs: 0 }, timers: { retransmitMs: 60_000 } },
  }).start()
  const texts = Array.from({ length: 4 * voters }, (_, index) => `request ${index}`)
  for (const replica of bench.replicas) replica.propose(...texts)
  const isLateVote = ({ message }: Sent): boolean => message.kind === 'vote' && message.view > 6
  while (!bench.network.some(isLateVote)) bench.deliver()
  bench.replica(bench.network.find(isLateVote)!.to).crash()
  bench.settle()
  const up = bench.replicas.filter(({ isUp }) => isUp)
  const height = Math.max(...up.map(({ decidedHeight }) => decidedHeight))
  const fromMs = bench.nowMs
  const stepMs = timeoutMs / 10
  while (up.some(({ decidedHeight }) => decidedHeight <= height)) {
    bench.elapse(stepMs)
    if (bench.nowMs > fromMs + 60 * timeoutMs) throw new Error('nothing is decided any more')
  }
  const viewsGivenUp = new Set(up[0]!.noted('view-given-up').map(({ detail }) => (detail as { view: number }).view))
    .size
  return { timeouts: (bench.nowMs - fromMs) / timeoutMs, viewsGivenUp }
}

export const viewTableHead: string = [
  '| n | quorum | messages | KiB on all links | bytes of a TIMEOUT | bytes of the proposal | signatures made | checked by the next leader | checked by another | pbft, one block: messages, KiB, made, checked | pbft, 256 blocks: MiB, made, checked |',
  '|---|---|---|---|---|---|---|---|---|---|---|',
].join('\n')

export function viewTableRow(voters: number): string {
  const cost = viewCost(voters)
  const [small, full] = [pbftViewChangeCost(voters, 1), extendedCost(voters, 256)]
  const kibibytes = (bytes: number): string => (bytes / 1024).toFixed(bytes < 100 * 1024 ? 1 : 0)
  const columns = [
    ...[voters, cost.quorum, cost.messages, kibibytes(cost.bytes)],
    ...[cost.timeoutBytes, cost.proposalBytes, cost.made, cost.checkedByLeader, cost.checkedByOther],
    [small.messages, kibibytes(small.bytes), small.made, small.checkedByBackup].join(', '),
    [(full.bytes / 1024 / 1024).toFixed(1), full.made, full.checkedByBackup].join(', '),
  ]
  return `| ${columns.join(' | ')} |`
}

interface World {
  nowMs: number
  deliver(): number
}

function fireTogether(
  bench: World,
  up: readonly { timers: ReadonlyMap<string, number>; fire: (name: string) => void }[],
): void {
  bench.nowMs += timeoutMs
  for (const replica of up) {
    const due = [...replica.timers].filter(([name, dueMs]) => name !== 'judge' && dueMs <= bench.nowMs)
    for (const [name] of due) replica.fire(name)
  }
}

function roundsUntil(bench: World, isDone: () => boolean): number {
  let rounds = 0
  while (!isDone()) {
    if (bench.deliver() === 0) throw new Error('nothing is under way any more')
    rounds++
  }
  return rounds
}
