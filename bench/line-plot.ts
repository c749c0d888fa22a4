// A picture of a few lines over one axis, as SVG that stands by itself.

export interface Line {
  name: string
  points: { x: number; y: number }[]
}

export interface Plot {
  title: string
  xName: string
  yName: string
  lines: Line[]
}

const width = 720
const height = 400
const left = 70
const right = 170
const top = 40
const bottom = 50
const colours = ['#1b6ca8', '#c8553d', '#4f772d', '#6a4c93']

/** Plots below each other. */
export function drawPlots(plots: readonly Plot[]): string {
  const drawn = plots.map((plot, index) => `<g transform="translate(0 ${index * height})">\n${drawPlot(plot)}\n</g>`)
  const size = `width="${width}" height="${plots.length * height}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...drawn,
    '</svg>',
    '',
  ].join('\n')
}

function drawPlot({ title, xName, yName, lines }: Plot): string {
  const points = lines.flatMap((line) => line.points)
  const xMax = Math.max(...points.map(({ x }) => x))
  const yStep = roundStep(Math.max(...points.map(({ y }) => y)) / 5)
  const yMax = Math.ceil(Math.max(...points.map(({ y }) => y)) / yStep) * yStep
  const across = (x: number): string => (left + (x / xMax) * (width - left - right)).toFixed(1)
  const down = (y: number): string => (height - bottom - (y / yMax) * (height - top - bottom)).toFixed(1)
  const xs = [...new Set(points.map(({ x }) => x))]
  const ys = Array.from({ length: Math.round(yMax / yStep) + 1 }, (_, index) => index * yStep)
  const text = (x: number | string, y: number | string, words: string, more = ''): string =>
    `<text x="${x}" y="${y}" ${more}>${words}</text>`
  return [
    text(left, 20, title, 'font-size="14" font-weight="bold"'),
    ...ys.flatMap((y) => [
      `<line x1="${left}" x2="${width - right}" y1="${down(y)}" y2="${down(y)}" stroke="#ddd"/>`,
      text(left - 6, Number(down(y)) + 4, y.toLocaleString('en'), 'text-anchor="end"'),
    ]),
    ...xs.map((x) => text(across(x), height - bottom + 16, `${x}`, 'text-anchor="middle"')),
    text(left + (width - left - right) / 2, height - 12, xName, 'text-anchor="middle"'),
    text(16, height / 2, yName, `text-anchor="middle" transform="rotate(-90 16 ${height / 2})"`),
    ...lines.flatMap((line, index) => drawLine(line, colours[index % colours.length]!, across, down)),
    ...legend(lines, down),
  ].join('\n')
}

function drawLine(
  { points }: Line,
  colour: string,
  across: (x: number) => string,
  down: (y: number) => string,
): string[] {
  const path = points.map(({ x, y }) => `${across(x)},${down(y)}`).join(' ')
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...points.map(({ x, y }) => `<circle cx="${across(x)}" cy="${down(y)}" r="3" fill="${colour}"/>`),
  ]
}

/** Each name stands where its line ends, and below the one before it where they would overlap. */
function legend(lines: readonly Line[], down: (y: number) => string): string[] {
  const ends = lines
    .map(({ name, points }, index) => ({ name, at: Number(down(points.at(-1)!.y)), index }))
    .sort((one, other) => one.at - other.at)
  let lowest = -Infinity
  return ends.map(({ name, at, index }) => {
    lowest = Math.max(at + 4, lowest + 15)
    return `<text x="${width - right + 10}" y="${lowest}" fill="${colours[index % colours.length]}">${name}</text>`
  })
}

/** 1, 2 or 5 with noughts behind it: no less than this. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= least)!
}
