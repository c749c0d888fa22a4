// What `quorate complexity` has found: a row for each protocol and size, with what was measured beside what the closed forms say.

import { faultModelOf, type ProtocolName } from '../../kernel/ids.ts'
import { faultsTolerated, quorum } from '../../kernel/quorum.ts'
import type { Contender } from '../contenders.ts'
import { blockCost, commitDelays, viewChangeMessages, type BlockCost, type Delays } from './closed-forms.ts'
import { counted, isEqual, reasonFor, type Compared } from './lateness.ts'
import type { Load, MeasuredBlock, SimulatedCosts } from './simulated.ts'

/** Raised when a field changes its meaning or goes. */
export const reportSchema = 'quorate-complexity/1'

export interface ComplexityReport {
  schema: typeof reportSchema
  load: Load
  rows: Row[]
}

export interface Row {
  /** `hotstuff/three-chain` for that rule. */
  name: string
  protocol: ProtocolName
  replicas: number
  faultsTolerated: number
  quorum: number
  closedForms: { block: BlockCost; delays: Delays; viewChangeMessages: number }
  simulated: SimulatedCosts
  /** On real processes, beside the simulator with the same blocks; null where that was not asked for. */
  processes: ProcessesBlock | null
  /** What differs from what it should be, a sentence each. */
  differences: string[]
  /** What real processes count beside it, or else because not all of them are equally fast, and why: a sentence each. */
  notes: string[]
}

export interface ProcessesBlock {
  /** How many blocks of a chain were counted: their mean is `measured`. */
  blocks: number
  /** Of them, those of leaders that found nothing to propose. */
  empty: number
  measured: MeasuredBlock
  /** With one operation of the same size to a block. */
  simulated: MeasuredBlock
  /** Blocks on their own, from rest to rest, with the empty ones that they need to be committed. */
  lone: LoneBlocks & { simulated: MeasuredBlock }
}

export interface LoneBlocks {
  measured: MeasuredBlock[]
}

export interface GivenUp {
  givenUp: string
}

export function rowOf(
  contender: Contender,
  replicas: number,
  simulated: SimulatedCosts,
  processes: ProcessesBlock | GivenUp | null,
): Row {
  const { name, protocol } = contender
  const model = faultModelOf(protocol)
  const closedForms = {
    block: blockCost(contender, replicas),
    delays: commitDelays(contender),
    viewChangeMessages: viewChangeMessages(contender, replicas),
  }
  const real = processes === null ? { differences: [], notes: [] } : onProcesses(contender, replicas, processes)
  return {
    name,
    protocol,
    replicas,
    faultsTolerated: faultsTolerated(model, replicas),
    quorum: quorum(model, replicas),
    closedForms,
    simulated,
    processes: processes === null || 'givenUp' in processes ? null : processes,
    differences: [...inSimulator(closedForms, simulated), ...real.differences],
    notes: real.notes,
  }
}

function inSimulator(
  { block, delays, viewChangeMessages: changing }: Row['closedForms'],
  measured: SimulatedCosts,
): string[] {
  const pairs: [what: string, measured: number | undefined, wanted: number][] = [
    ['messages a block', measured.block.messages, block.messages],
    ['signatures made for a block', measured.block.signaturesMade, block.signaturesMade],
    ['signatures checked for a block', measured.block.signaturesChecked, block.signaturesChecked],
    ['delays where a commit is known first', measured.delays.first, delays.first],
    ['delays where a commit is known last', measured.delays.last, delays.last],
    ['messages of a view change', measured.change?.messages, changing],
  ]
  return pairs.flatMap(([what, is, wanted]) =>
    is === undefined || is === wanted ? [] : [`${what}: ${is} in the simulator, and ${wanted} by the closed form`],
  )
}

const words = {
  messages: 'messages',
  bytes: 'bytes',
  signaturesMade: 'signatures made',
  signaturesChecked: 'signatures checked',
}

function onProcesses(
  contender: Contender,
  replicas: number,
  real: ProcessesBlock | GivenUp,
): Pick<Row, 'differences' | 'notes'> {
  if ('givenUp' in real) return { differences: [`no figures of real processes: ${real.givenUp}`], notes: [] }
  const { measured, simulated, blocks, empty, lone } = real
  const chain = compare(contender, replicas, 'a block', { measured, simulated, emptyShare: empty / blocks })
  const alone = lone.measured.map((one) => ({ measured: one, simulated: lone.simulated, emptyShare: null }))
  const all = [chain, ...alone.map((one) => compare(contender, replicas, 'a block on its own', one))].flat()
  const beside = Object.entries(measured.apart).map(([name, count]) => `${rounded(count)} ${name}`)
  return {
    differences: [...new Set(all.filter(({ reason }) => reason === null).map(({ what }) => what))],
    notes: [
      `${alone.filter(isEqual).length} of ${alone.length} blocks on their own cost exactly what they cost in the simulator`,
      ...(beside.length === 0 ? [] : [`in no count, because they order nothing; for a block: ${beside.join(', ')}`]),
      ...byReason(all),
    ],
  }
}

interface Deviation {
  what: string
  /** Null: it ought not to be. */
  reason: string | null
}

function compare(contender: Contender, replicas: number, what: string, compared: Compared): Deviation[] {
  return counted.flatMap((name) => {
    const [is, wanted] = [compared.measured[name], compared.simulated[name]]
    if (is === wanted) return []
    const sentence = `${words[name]} of ${what}: ${rounded(is)} on processes, and ${rounded(wanted)} in the simulator`
    return [{ what: sentence, reason: reasonFor(contender, replicas, name, compared) }]
  })
}

function byReason(deviations: readonly Deviation[]): string[] {
  const reasons = [...new Set(deviations.flatMap(({ reason }) => reason ?? []))]
  return reasons.map((reason) => {
    const those = deviations.filter((one) => one.reason === reason).map(({ what }) => what)
    return `${reason} (${[...new Set(those)].join('; ')})`
  })
}

function rounded(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 3 })
}
