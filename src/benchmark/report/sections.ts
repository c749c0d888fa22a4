// Figures in the order in which a person reads them: one section for each factor, each with the base point to compare with.

import type { PlannedPoint } from '../plan/plan.ts'
import type { Figure } from './figures.ts'

export interface Section {
  name: string
  title: string
  /** What varies in it, for a row. */
  label: (figure: Figure) => string
  /** The same as a number, where it is one. */
  value: (figure: Figure) => number | null
  figures: Figure[]
}

type Kind = Omit<Section, 'figures'>

const outstandingOf = ({ load }: PlannedPoint): number | null => (load.loop === 'closed' ? load.outstanding : null)

const kinds: readonly (Kind & { holds: (figure: Figure) => boolean })[] = [
  {
    name: 'failures',
    title: 'When something fails',
    label: ({ point }) => point.failure ?? '',
    value: () => null,
    holds: ({ point }) => point.failure !== undefined,
  },
  {
    name: 'round-trip',
    title: 'Round trips between replicas',
    label: (figure) => `${figure.setup.roundTripMs} ms, ${sentenceOf(figure.point)}`,
    value: ({ setup }) => setup.roundTripMs,
    holds: ({ setup }) => setup.roundTripMs > 0,
  },
  {
    name: 'fsync',
    title: 'Without a disk',
    label: ({ point }) => sentenceOf(point),
    value: ({ point }) => outstandingOf(point),
    holds: ({ setup }) => !setup.fsync,
  },
  {
    name: 'open-loop',
    title: 'Open loop',
    label: ({ point, runs }) => `${sentenceOf(point)} (${rateOf(runs[0]?.measured.result.point.load)}/s)`,
    value: ({ runs }) => rateOf(runs[0]?.measured.result.point.load),
    holds: ({ point }) => point.load.loop === 'open',
  },
  {
    name: 'reads',
    title: 'Linearizable reads',
    label: ({ point }) => sentenceOf(point),
    value: ({ point }) => outstandingOf(point),
    holds: ({ point }) => point.kind === 'get',
  },
  {
    name: 'transactions',
    title: 'Transactions',
    label: ({ point }) => sentenceOf(point),
    value: ({ point }) => outstandingOf(point),
    holds: ({ point }) => point.kind === 'transaction',
  },
]

const writes: readonly Kind[] = [
  {
    name: 'outstanding',
    title: 'Operations under way',
    label: ({ point }) => sentenceOf(point),
    value: ({ point }) => outstandingOf(point),
  },
  {
    name: 'bytes',
    title: 'Sizes of operations',
    label: ({ point }) => `${point.operationBytes} B`,
    value: ({ point }) => point.operationBytes,
  },
  {
    name: 'clients',
    title: 'Independent clients',
    label: ({ point }) => `${point.clients} ${point.clients === 1 ? 'client' : 'clients'}`,
    value: ({ point }) => point.clients,
  },
  {
    name: 'replicas',
    title: 'Replicas',
    label: ({ setup }) => `${setup.replicas} replicas`,
    value: ({ setup }) => setup.replicas,
  },
  {
    name: 'other',
    title: 'Other points',
    label: ({ setup, point }) => `${setup.replicas} replicas, ${sentenceOf(point)}`,
    value: () => null,
  },
]

/** Those that have something to show. */
export function sectionsOf(figures: readonly Figure[]): Section[] {
  const special = kinds.map(({ holds, ...kind }) => ({
    ...kind,
    figures: figures.filter((one) => kindOf(one) === holds),
  }))
  const plain = figures.filter((one) => kindOf(one) === null)
  const base = baseOf(plain)
  const sections = [
    ...writes.map((kind) => ({ ...kind, figures: plain.filter((one) => belongs(one, kind.name, base)) })),
    ...special,
  ]
  return sections
    .filter(({ name, figures: own }) => isWorthShowing(name, own))
    .map((section) => Object.assign(section, { figures: inOrder(section) }))
}

/** One system after another, as they took turns; of each, from the least to the most. */
function inOrder({ figures, value }: Section): Figure[] {
  const systems = [...new Set(figures.map(({ setup }) => setup.system))]
  const placed = figures.map((figure) => ({
    figure,
    system: systems.indexOf(figure.setup.system),
    at: value(figure) ?? 0,
  }))
  return placed.sort((one, other) => one.system - other.system || one.at - other.at).map(({ figure }) => figure)
}

/** A base point alone says nothing of a factor; where it is all there is, it is shown once. */
function isWorthShowing(name: string, figures: readonly Figure[]): boolean {
  if (figures.length === 0) return false
  if (!['bytes', 'clients', 'replicas'].includes(name)) return true
  const kind = writes.find((one) => one.name === name)!
  const values = figures.map((one) => `${one.setup.system} ${kind.value(one)}`)
  return new Set(values).size > new Set(figures.map((one) => one.setup.system)).size
}

function kindOf(figure: Figure): ((figure: Figure) => boolean) | null {
  return kinds.find(({ holds }) => holds(figure))?.holds ?? null
}

interface Base {
  outstanding: number | null
  bytes: number
  clients: number
  /** Of each system. */
  replicas: ReadonlyMap<string, number>
}

/** What most points have: in a plan of one factor at a time, the base point's. */
function baseOf(figures: readonly Figure[]): Base {
  const replicas = new Map<string, number>()
  for (const { setup } of figures) {
    replicas.set(setup.system, Math.min(setup.replicas, replicas.get(setup.system) ?? Infinity))
  }
  return {
    outstanding: commonest(figures.map(({ point }) => outstandingOf(point))) ?? null,
    bytes: commonest(figures.map(({ point }) => point.operationBytes)) ?? 0,
    clients: commonest(figures.map(({ point }) => point.clients)) ?? 0,
    replicas,
  }
}

function commonest<Value>(values: readonly Value[]): Value | undefined {
  const counts = new Map<Value, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0]
}

function belongs({ setup, point }: Figure, name: string, base: Base): boolean {
  const differs = [
    ...(outstandingOf(point) === base.outstanding ? [] : ['outstanding']),
    ...(point.operationBytes === base.bytes ? [] : ['bytes']),
    ...(point.clients === base.clients ? [] : ['clients']),
    ...(setup.replicas === base.replicas.get(setup.system) ? [] : ['replicas']),
  ]
  if (differs.length > 1) return name === 'other'
  return name !== 'other' && (differs.length === 0 || differs[0] === name)
}

/** What is done, without the system that does it. */
export function sentenceOf({ kind, load, operationBytes, clients, transactionPuts }: PlannedPoint): string {
  const what = {
    put: `put ${operationBytes} B`,
    get: `read ${operationBytes} B`,
    transaction: `${transactionPuts} puts of ${operationBytes} B`,
  }[kind]
  const loaded = load.loop === 'closed' ? `${load.outstanding} outstanding` : `at ${load.percent}%`
  return [what, loaded, ...(clients === 1 ? [] : [`${clients} clients`])].join(', ')
}

function rateOf(load: { loop: 'closed' } | { loop: 'open'; perSecond: number } | undefined): number | null {
  return load?.loop === 'open' ? load.perSecond : null
}
