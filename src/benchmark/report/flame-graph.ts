// A profile as a picture: each frame a bar, as wide as its time and that of all it called, below whoever called it; the root is on top.

import { categoryOfFrame, libraryOf, pathOf, type CpuCategory } from './cpu-categories.ts'
import type { FrameTree } from './cpu-profile.ts'
import { escaped } from './markup.ts'

const width = 1200
const rowHeight = 16
const top = 28
/** Narrower ones are left out: nobody can read them, and there are thousands. */
const barWidthMin = 0.5
const characterWidth = 6.3
const rowsMax = 120

const colours: Readonly<Record<CpuCategory, string>> = {
  links: '#7fb2d9',
  signatures: '#e08e79',
  hashing: '#d9b44a',
  log: '#8fbf6b',
  execution: '#b094c9',
  client: '#6fbfb0',
  protocol: '#e6a1c4',
  encoding: '#c2a37d',
  'garbage collection': '#9a9a9a',
  other: '#d4d4d4',
}

interface Bar {
  frame: FrameTree
  row: number
  left: number
  barWidth: number
  category: CpuCategory
}

export function drawFlameGraph(tree: FrameTree, title: string): string {
  const bars = layOut(tree)
  const rows = bars.reduce((most, { row }) => Math.max(most, row + 1), 1)
  const height = top + rows * rowHeight + 4
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="10.5">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="4" y="18" font-family="sans-serif" font-size="14" font-weight="bold">${escaped(title)}</text>`,
    ...bars.map((bar) => drawBar(bar, tree.totalUs)),
    '</svg>',
    '',
  ].join('\n')
}

/** Frames of one name that one caller called several times stand as one. */
function layOut(tree: FrameTree): Bar[] {
  const scale = width / Math.max(1, tree.totalUs)
  const bars: Bar[] = []
  const waiting: Bar[] = [{ frame: tree, row: 0, left: 0, barWidth: width, category: 'other' }]
  for (let bar = waiting.pop(); bar !== undefined; bar = waiting.pop()) {
    bars.push(bar)
    if (bar.row + 1 === rowsMax) continue
    let { left } = bar
    for (const frame of merged(bar.frame.children)) {
      const barWidth = frame.totalUs * scale
      const category = categoryOfFrame(frame.name, frame.url) ?? bar.category
      if (barWidth >= barWidthMin) waiting.push({ frame, row: bar.row + 1, left, barWidth, category })
      left += barWidth
    }
  }
  return bars
}

/** The widest first. */
function merged(children: readonly FrameTree[]): FrameTree[] {
  const byPlace = new Map<string, FrameTree>()
  for (const child of children) {
    const place = `${child.name}\n${child.url}\n${child.line}`
    const one = byPlace.get(place)
    byPlace.set(place, one === undefined ? child : joined(one, child))
  }
  return [...byPlace.values()].sort((one, other) => other.totalUs - one.totalUs)
}

function joined(one: FrameTree, other: FrameTree): FrameTree {
  return {
    ...one,
    selfUs: one.selfUs + other.selfUs,
    totalUs: one.totalUs + other.totalUs,
    children: [...one.children, ...other.children],
  }
}

function drawBar({ frame, row, left, barWidth, category }: Bar, totalUs: number): string {
  const y = top + row * rowHeight
  const percent = (us: number): string => ((100 * us) / Math.max(1, totalUs)).toFixed(2)
  const words = `${frame.name} ${placeOf(frame)}: ${percent(frame.totalUs)}%, itself ${percent(frame.selfUs)}%, ${category}`
  const letters = Math.floor((barWidth - 4) / characterWidth)
  const label =
    letters < 3
      ? ''
      : `<text x="${(left + 2).toFixed(1)}" y="${y + 11}">${escaped(frame.name.slice(0, letters))}</text>`
  const box = `x="${left.toFixed(1)}" y="${y}" width="${barWidth.toFixed(1)}" height="${rowHeight - 1}"`
  return `<g><title>${escaped(words)}</title><rect ${box} fill="${colours[category]}"/>${label}</g>`
}

/** Short: where an editor would look. */
function placeOf({ url, line }: FrameTree): string {
  if (url === '') return ''
  return `(${libraryOf(url) ?? pathOf(url) ?? url}:${line})`
}
