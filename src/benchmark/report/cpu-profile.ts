// A `.cpuprofile` as V8 writes it: a tree of frames, and which of them stood on top at each sample. Read strictly: a report may be made
// from a folder that somebody sent.

import { Failure } from '../../cli/failure.ts'

export interface CpuProfile {
  nodes: readonly ProfileNode[]
  /** Microseconds of the machine's monotonic clock, the same in all of its processes. */
  startTime: number
  endTime: number
  /** The node on top, and how long after the sample before it was taken. */
  samples: readonly number[]
  timeDeltas: readonly number[]
  /** Written by our own recorder (profile-recorder.ts), absent in files of `node --cpu-prof`. */
  quorate?: ProfiledProcess
}

export interface ProfiledProcess {
  pid: number
  /** As it was called, without Node and its options. */
  command: readonly string[]
  /** What the kernel counted, over time: threads beside the profiled one show here alone. */
  usage: readonly CpuUsage[]
}

export interface CpuUsage {
  /** Of the same clock as the profile. */
  atUs: number
  processSeconds: number
  threadSeconds: number
}

export interface ProfileNode {
  id: number
  callFrame: { functionName: string; url: string; lineNumber: number }
  children?: readonly number[]
}

/** A part of a profile's time, on its clock. */
export interface TimeWindow {
  fromUs: number
  toUs: number
}

/** A frame with all that it called, in one profile and window. */
export interface FrameTree {
  name: string
  url: string
  /** As editors count: from 1; 0 where V8 names no line. */
  line: number
  selfUs: number
  /** Its own time and that of all it called. */
  totalUs: number
  children: FrameTree[]
}

export const profileBytesMax = 256 * 1024 * 1024
const nodesMax = 1_000_000
const samplesMax = 10_000_000

export function parseCpuProfile(text: string, name: string): CpuProfile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refusal(name)
  }
  if (!isProfile(value)) throw refusal(name)
  const { quorate, ...profile } = value
  return quorate !== undefined && isProcess(quorate) ? { ...profile, quorate } : profile
}

/** The frames that ran within the window. Idle time is not among them: nobody pays for it. */
export function frameTree(profile: CpuProfile, window: TimeWindow | null = null): FrameTree {
  const selfUs = selfTimes(profile, window)
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  const called = new Set(profile.nodes.flatMap(({ children = [] }) => children))
  const roots = profile.nodes.filter(({ id }) => !called.has(id))
  const children = roots.flatMap((root) => grow(root, byId, selfUs)?.children ?? [])
  return { name: 'all', url: '', line: 0, selfUs: 0, totalUs: sum(children), children }
}

/** How long each node stood on top. A sample holds until the next is taken. */
function selfTimes({ samples, timeDeltas, startTime, endTime }: CpuProfile, window: TimeWindow | null) {
  let atUs = startTime
  const taken = samples.map((id, index) => ({ id, atUs: (atUs += timeDeltas[index]!) }))
  // Samples of two threads of the profiler are now and then noted in the wrong order.
  taken.sort((one, other) => one.atUs - other.atUs)
  const { fromUs, toUs } = window ?? { fromUs: -Infinity, toUs: Infinity }
  const selfUs = new Map<number, number>()
  for (const [index, { id, atUs: from }] of taken.entries()) {
    const to = taken[index + 1]?.atUs ?? Math.max(from, endTime)
    const held = Math.min(to, toUs) - Math.max(from, fromUs)
    if (held > 0) selfUs.set(id, (selfUs.get(id) ?? 0) + held)
  }
  return selfUs
}

/** Depth first without recursion: frames nest as deep as a stack does. Null for what never ran. */
function grow(root: ProfileNode, byId: ReadonlyMap<number, ProfileNode>, selfUs: ReadonlyMap<number, number>) {
  const grown = new Map<number, FrameTree>()
  const order: ProfileNode[] = [root]
  const seen = new Set([root.id])
  for (const node of order) {
    for (const id of node.children ?? []) {
      const child = byId.get(id)
      if (child === undefined || seen.has(id)) continue
      seen.add(id)
      order.push(child)
    }
  }
  for (const node of order.toReversed()) {
    const { functionName, url, lineNumber } = node.callFrame
    if (functionName === '(idle)') continue
    const children = (node.children ?? []).flatMap((id) => grown.get(id) ?? [])
    const own = selfUs.get(node.id) ?? 0
    const totalUs = own + sum(children)
    if (totalUs === 0 && node !== root) continue
    const name = functionName === '' ? '(anonymous)' : functionName
    grown.set(node.id, { name, url, line: lineNumber + 1, selfUs: own, totalUs, children })
  }
  return grown.get(root.id)
}

function sum(children: readonly FrameTree[]): number {
  return children.reduce((total, { totalUs }) => total + totalUs, 0)
}

function isProfile(value: unknown): value is CpuProfile {
  if (!isObject(value)) return false
  const { nodes, samples, timeDeltas, startTime, endTime } = value
  return (
    isFinite(startTime) &&
    isFinite(endTime) &&
    Array.isArray(nodes) &&
    nodes.length <= nodesMax &&
    nodes.every(isNode) &&
    Array.isArray(samples) &&
    samples.length <= samplesMax &&
    samples.every(Number.isSafeInteger) &&
    Array.isArray(timeDeltas) &&
    timeDeltas.length === samples.length &&
    timeDeltas.every(isFinite)
  )
}

function isNode(value: unknown): value is ProfileNode {
  if (!isObject(value) || !isObject(value['callFrame'])) return false
  const { functionName, url, lineNumber } = value['callFrame']
  const { children = [] } = value
  return (
    Number.isSafeInteger(value['id']) &&
    typeof functionName === 'string' &&
    typeof url === 'string' &&
    Number.isSafeInteger(lineNumber) &&
    Array.isArray(children) &&
    children.every(Number.isSafeInteger)
  )
}

function isProcess(value: unknown): value is ProfiledProcess {
  if (!isObject(value)) return false
  const { pid, command, usage } = value
  const sound = (one: unknown): boolean =>
    isObject(one) && isFinite(one['atUs']) && isFinite(one['processSeconds']) && isFinite(one['threadSeconds'])
  return (
    Number.isSafeInteger(pid) &&
    Array.isArray(command) &&
    command.every((one) => typeof one === 'string') &&
    Array.isArray(usage) &&
    usage.every(sound)
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isFinite(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function refusal(name: string): Failure {
  return new Failure('ERR_PROFILE', `${name} is no CPU profile: name a file that node --cpu-prof has written`)
}
