// What `quorate complexity` has found: a row for each protocol and size, with what was measured beside what the closed forms say.

import { faultModelOf, type ProtocolName } from '../../kernel/ids.ts'
import { faultsTolerated, quorum } from '../../kernel/quorum.ts'
import type { Contender } from '../contenders.ts'
import { blockCost, commitDelays, viewChangeMessages, type BlockCost, type Delays } from './closed-forms.ts'
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
}

export interface ProcessesBlock {
  /** How many blocks were counted. */
  blocks: number
  measured: MeasuredBlock
  /** With one operation of the same size to a block. */
  simulated: MeasuredBlock
}

export function rowOf(
  contender: Contender,
  replicas: number,
  simulated: SimulatedCosts,
  processes: ProcessesBlock | null,
): Row {
  const { name, protocol } = contender
  const model = faultModelOf(protocol)
  const closedForms = {
    block: blockCost(contender, replicas),
    delays: commitDelays(contender),
    viewChangeMessages: viewChangeMessages(contender, replicas),
  }
  return {
    name,
    protocol,
    replicas,
    faultsTolerated: faultsTolerated(model, replicas),
    quorum: quorum(model, replicas),
    closedForms,
    simulated,
    processes,
    differences: [...inSimulator(closedForms, simulated), ...(processes === null ? [] : onProcesses(processes))],
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

function onProcesses({ measured, simulated }: ProcessesBlock): string[] {
  const names = ['messages', 'bytes', 'signaturesMade', 'signaturesChecked'] as const
  const words = {
    messages: 'messages',
    bytes: 'bytes',
    signaturesMade: 'signatures made',
    signaturesChecked: 'signatures checked',
  }
  return names.flatMap((name) =>
    measured[name] === simulated[name]
      ? []
      : [`${words[name]} of a block: ${measured[name]} on processes, and ${simulated[name]} in the simulator`],
  )
}
