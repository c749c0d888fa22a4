// What `quorate complexity` shows: the good case, a view change, and real processes, as tables.

import { isEqual } from '../benchmark/complexity/lateness.ts'
import type { ComplexityReport, Row } from '../benchmark/complexity/report.ts'
import { table } from './output.ts'

export interface Section {
  title: string
  lines: string[]
}

export function complexityTables({ rows, load }: ComplexityReport): Section[] {
  const { operationsPerBlock, operationBytes } = load
  const sections: Section[] = [
    {
      title: `A block of ${operationsPerBlock} operations of ${operationBytes} bytes, in the simulator, and delays where it is known first and last (*: not what the closed form says)`,
      lines: table([blockTitles, ...rows.map((row) => blockCells(row, operationsPerBlock))]),
    },
    {
      title: 'A dead leader with one block under way, until a waiting request is decided, in the simulator',
      lines: table([changeTitles, ...rows.map(changeCells)]),
    },
  ]
  const real = rows.filter(({ processes }) => processes !== null)
  if (real.length === 0) return sections
  const title =
    'A block of one operation, on real processes over libp2p (*: not what the simulator says; alike: blocks on their own that cost exactly that)'
  return [...sections, { title, lines: table([processTitles, ...real.map(processCells)]) }]
}

const blockTitles = [
  ...['protocol', 'n', 'f', 'messages', 'an operation', 'bytes', 'an operation'],
  ...['signed', 'an operation', 'checked', 'an operation', 'delays'],
]
const changeTitles = ['protocol', 'n', 'f', 'messages', 'bytes', 'in all', 'signed', 'checked', 'delays']
const processTitles = ['protocol', 'n', 'f', 'blocks', 'messages', 'bytes', 'signed', 'checked', 'alike']

function blockCells({ name, replicas, faultsTolerated, closedForms, simulated }: Row, operations: number): string[] {
  const { block, delays } = simulated
  const { first, last } = closedForms.delays
  return [
    name,
    String(replicas),
    String(faultsTolerated),
    marked(block.messages, closedForms.block.messages),
    shown(block.messages / operations),
    shown(block.bytes),
    shown(block.bytes / operations),
    marked(block.signaturesMade, closedForms.block.signaturesMade),
    shown(block.signaturesMade / operations),
    marked(block.signaturesChecked, closedForms.block.signaturesChecked),
    shown(block.signaturesChecked / operations),
    `${marked(delays.first, first)}, ${marked(delays.last, last)}`,
  ]
}

function changeCells({ name, replicas, faultsTolerated, closedForms, simulated }: Row): string[] {
  const head = [name, String(replicas), String(faultsTolerated)]
  const { change } = simulated
  if (change === null) return [...head, 'never', '-', '-', '-', '-', '-']
  return [
    ...head,
    marked(change.messages, closedForms.viewChangeMessages),
    shown(change.bytes),
    shown(change.messagesInAll),
    shown(change.signaturesMade),
    shown(change.signaturesChecked),
    change.delays === null ? 'sent again' : String(change.delays),
  ]
}

function processCells({ name, replicas, faultsTolerated, processes }: Row): string[] {
  const { blocks, measured, simulated, lone } = processes!
  const alike = lone.measured.filter((one) => isEqual({ measured: one, simulated: lone.simulated }))
  return [
    name,
    String(replicas),
    String(faultsTolerated),
    shown(blocks),
    marked(measured.messages, simulated.messages),
    marked(measured.bytes, simulated.bytes),
    marked(measured.signaturesMade, simulated.signaturesMade),
    marked(measured.signaturesChecked, simulated.signaturesChecked),
    `${alike.length} of ${lone.measured.length}`,
  ]
}

function marked(measured: number, wanted: number): string {
  return measured === wanted ? shown(measured) : `${shown(measured)}*`
}

function shown(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 })
}
