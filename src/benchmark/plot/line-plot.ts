// Pictures of a few lines over one axis, as SVG that stands by itself or as PNG.

import { axisOf, axisOfSteps, type Axis, type Scale } from './axis.ts'
import { png } from './png.ts'
import { moved, type Picture, type Point, type Shape, type Words } from './shapes.ts'
import { svg } from './svg.ts'

export interface Line {
  name: string
  points: Point[]
}

export interface Plot {
  title: string
  xName: string
  yName: string
  lines: Line[]
  /** Linear, if nothing is said. */
  xScale?: Scale
  /** Nobody chose the values along the bottom: round ones are named there. */
  xIsMeasured?: boolean
  yScale?: Scale
}

const width = 720
const height = 400
const left = 70
const right = 190
const top = 40
const bottom = 50
const colours = ['#1b6ca8', '#c8553d', '#4f772d', '#6a4c93', '#b8860b', '#2a9d8f', '#7f5539', '#555555']
const grey = '#dddddd'
const black = '#000000'

/** As SVG, below each other. */
export function drawPlots(plots: readonly Plot[]): string {
  return svg(pictureOf(plots))
}

/** The same as PNG. */
export function plotsAsPng(plots: readonly Plot[]): Uint8Array {
  return png(pictureOf(plots))
}

export function pictureOf(plots: readonly Plot[]): Picture {
  const shapes = plots.flatMap((plot, index) =>
    shapesOf(plot).map((shape) => moved(shape, { x: 0, y: index * height })),
  )
  return { width, height: plots.length * height, shapes }
}

function shapesOf({
  title,
  xName,
  yName,
  lines,
  xScale = 'linear',
  yScale = 'linear',
  xIsMeasured = false,
}: Plot): Shape[] {
  const points = lines.flatMap((line) => line.points)
  const xAxis = (xIsMeasured ? axisOf : axisOfSteps)(
    points.map(({ x }) => x),
    xScale,
  )
  const yAxis = axisOf(
    points.map(({ y }) => y),
    yScale,
  )
  const place = ({ x, y }: Point): Point => ({ x: across(xAxis, x), y: down(yAxis, y) })
  return [
    words(title, { x: left, y: 20 }, { large: true }),
    ...yAxis.ticks.flatMap((tick) => [
      grid(down(yAxis, tick)),
      words(shown(tick), { x: left - 6, y: down(yAxis, tick) + 4 }, { anchor: 'end' }),
    ]),
    ...xAxis.ticks.map((tick) => words(shown(tick), { x: across(xAxis, tick), y: height - bottom + 16 }, centred)),
    words(xName, { x: left + (width - left - right) / 2, y: height - 12 }, centred),
    words(yName, { x: 16, y: height / 2 }, { ...centred, upwards: true }),
    ...lines.flatMap((line, index) => drawLine(line.points.map(place), colourOf(index))),
    ...legend(lines, place),
  ]
}

const centred = { anchor: 'middle' } as const

function across(axis: Axis, x: number): number {
  return left + axis.at(x) * (width - left - right)
}

function down(axis: Axis, y: number): number {
  return height - bottom - axis.at(y) * (height - top - bottom)
}

function grid(y: number): Shape {
  return {
    kind: 'line',
    points: [
      { x: left, y },
      { x: width - right, y },
    ],
    colour: grey,
    width: 1,
  }
}

function drawLine(points: Point[], colour: string): Shape[] {
  if (points.length === 0) return []
  const dots = points.map((centre): Shape => ({ kind: 'circle', centre, radius: 3, colour }))
  return [{ kind: 'line', points, colour, width: 2 }, ...dots]
}

/** Each name stands where its line ends, and below the one before it where they would overlap. */
function legend(lines: readonly Line[], place: (point: Point) => Point): Shape[] {
  const ends = lines
    .filter(({ points }) => points.length > 0)
    .map((line) => ({ name: line.name, at: place(line.points.at(-1)!).y, colour: colourOf(lines.indexOf(line)) }))
    .sort((one, other) => one.at - other.at)
  let lowest = -Infinity
  return ends.map(({ name, at, colour }) => {
    lowest = Math.max(at + 4, lowest + 15)
    return words(name, { x: width - right + 10, y: lowest }, { colour })
  })
}

function words(text: string, at: Point, more: Partial<Words> = {}): Shape {
  return { kind: 'words', words: text, at, anchor: 'start', upwards: false, large: false, colour: black, ...more }
}

function colourOf(index: number): string {
  return colours[index % colours.length]!
}

function shown(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 6 })
}
