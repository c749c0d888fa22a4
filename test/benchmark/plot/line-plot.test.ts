// Pictures of measurements: that values stand where they belong, on both kinds of axis, and that both writers draw the same.

import { crc32, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { axisOf, axisOfSteps } from '../../../src/benchmark/plot/axis.ts'
import { pixelsPerUnit } from '../../../src/benchmark/plot/canvas.ts'
import { glyphOf } from '../../../src/benchmark/plot/font.ts'
import { drawPlots, pictureOf, plotsAsPng, type Plot } from '../../../src/benchmark/plot/line-plot.ts'
import type { Shape } from '../../../src/benchmark/plot/shapes.ts'

const plot: Plot = {
  title: 'a < b & c',
  xName: 'replicas',
  yName: 'messages',
  yScale: 'log',
  lines: [
    { name: 'one', points: [3, 4, 5].map((x) => ({ x, y: 10 ** (x - 2) })) },
    { name: 'other', points: [3, 5].map((x) => ({ x, y: 200 })) },
  ],
}

/** Width, height, and the colour of each pixel, after a look at every checksum. */
function decoded(bytes: Uint8Array): { width: number; height: number; at: (x: number, y: number) => number[] } {
  const buffer = Buffer.from(bytes)
  expect(buffer.subarray(1, 4).toString()).toBe('PNG')
  const chunks = new Map<string, Buffer>()
  for (let offset = 8; offset < buffer.length;) {
    const length = buffer.readUInt32BE(offset)
    const named = buffer.subarray(offset + 4, offset + 8 + length)
    expect(buffer.readUInt32BE(offset + 8 + length)).toBe(crc32(named))
    chunks.set(named.subarray(0, 4).toString(), named.subarray(4))
    offset += 12 + length
  }
  expect([...chunks.keys()]).toEqual(['IHDR', 'IDAT', 'IEND'])
  const header = chunks.get('IHDR')!
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)]
  expect([...header.subarray(8)]).toEqual([8, 2, 0, 0, 0])
  const rows = inflateSync(chunks.get('IDAT')!)
  expect(rows.length).toBe(height * (1 + 3 * width))
  return { width, height, at: (x, y) => [...rows.subarray(y * (1 + 3 * width) + 1 + 3 * x).subarray(0, 3)] }
}

describe('an axis', () => {
  it('of numbers begins at 0 and ends with a round one', () => {
    const { ticks, at } = axisOf([3, 41], 'linear')
    expect(ticks).toEqual([0, 10, 20, 30, 40, 50])
    expect([at(0), at(25), at(50)]).toEqual([0, 0.5, 1])
    expect(axisOf([0, 0], 'linear').ticks).toEqual([0, 1])
    expect(axisOf([0.25], 'linear').ticks).toEqual([0, 0.05, 0.1, 0.15, 0.2, 0.25])
  })

  it('of powers has as much room from 1 to 10 as from 10 to 100, and none for what is not above 0', () => {
    const { ticks, at } = axisOf([3, 90_000, 0], 'log')
    expect(ticks).toEqual([1, 10, 100, 1000, 10_000, 100_000])
    expect([at(1), at(10), at(100_000), at(0)]).toEqual([0, 0.2, 1, 0])
    expect(axisOf([2, 70], 'log').ticks).toEqual([1, 2, 5, 10, 20, 50, 100])
    expect(axisOf([], 'log').ticks).toEqual([1, 2, 5, 10])
  })

  it('of steps names each of a few, and round numbers where there are many', () => {
    expect(axisOfSteps([7, 4, 31, 4], 'linear').ticks).toEqual([4, 7, 31])
    const many = axisOfSteps(
      Array.from({ length: 29 }, (_, index) => index + 3),
      'linear',
    )
    expect(many.ticks).toEqual([0, 10, 20, 30])
    expect(many.at(31)).toBe(1)
    const powers = axisOfSteps([1, 16, 256], 'log')
    expect([powers.ticks, powers.at(1), powers.at(16), powers.at(256)]).toEqual([[1, 16, 256], 0, 0.5, 1])
  })
})

describe('a plot', () => {
  const circles = (shapes: readonly Shape[]) => shapes.filter((shape) => shape.kind === 'circle')

  it('has a dot for each value, at its place', () => {
    const [one] = circles(pictureOf([plot]).shapes)
    expect(circles(pictureOf([plot]).shapes)).toHaveLength(5)
    // 10 of 10 to 1,000.
    expect(one!.centre.y).toBe(350)
    const below = circles(pictureOf([plot, plot]).shapes)[5]!
    expect(below.centre).toEqual({ x: one!.centre.x, y: one!.centre.y + 400 })
  })

  it('names the values along the bottom, or round ones where nobody chose them', () => {
    const below = ({ shapes }: ReturnType<typeof pictureOf>): string[] =>
      shapes.flatMap((shape) => (shape.kind === 'words' && shape.at.y === 366 ? [shape.words] : []))
    expect(below(pictureOf([plot]))).toEqual(['3', '4', '5'])
    expect(below(pictureOf([{ ...plot, xIsMeasured: true }]))).toEqual(['0', '1', '2', '3', '4', '5'])
  })

  it('is SVG that stands by itself, whatever its words are', () => {
    const text = drawPlots([plot])
    expect(text).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="720" height="400"/)
    expect(text).toContain('>a &lt; b &amp; c</text>')
    expect(text.match(/<circle /g)).toHaveLength(5)
    expect(text.endsWith('</svg>\n')).toBe(true)
  })

  it('is PNG that shows the same', () => {
    const image = decoded(plotsAsPng([plot]))
    expect([image.width, image.height]).toEqual([720 * pixelsPerUnit, 400 * pixelsPerUnit])
    for (const { centre, colour } of circles(pictureOf([plot]).shapes)) {
      const [x, y] = [Math.round(centre.x * pixelsPerUnit), Math.round(centre.y * pixelsPerUnit)]
      const wanted = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
      expect(image.at(x, y)).toEqual(wanted)
    }
    expect(image.at(image.width - 1, image.height - 1)).toEqual([255, 255, 255])
    // Something is written at the top, and at the left.
    const isDark = (x: number, y: number): boolean => image.at(x, y)[0] === 0
    const pixels = (count: number) => Array.from({ length: count }, (_, index) => index)
    expect(pixels(200).some((x) => isDark(140 + x, 36))).toBe(true)
    expect(pixels(200).some((y) => isDark(26, 300 + y))).toBe(true)
  })

  it('knows the letters of what plots say, and draws a box for others', () => {
    expect(glyphOf('l')).toHaveLength(10)
    expect(glyphOf('µ')).not.toEqual(glyphOf('☃'))
    expect(glyphOf(' ')).toEqual([])
    const letters = [...'!"#$%&()*+,-./0123456789:;<=>?@ABCXYZ[]^_`abcxyz{|}~'].map((letter) =>
      JSON.stringify(glyphOf(letter)),
    )
    expect(new Set(letters).size).toBe(letters.length)
  })
})
