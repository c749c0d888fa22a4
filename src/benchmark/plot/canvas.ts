// Pixels, and how shapes are put on them: each pixel as much as it is covered, so that edges are smooth.

import { glyphOf, glyphAdvance, glyphHeight } from './font.ts'
import type { Picture, Point, Shape, Words } from './shapes.ts'

type Colour = readonly [red: number, green: number, blue: number]

/** Pixels of the picture's unit: twice as fine as a screen of old. */
export const pixelsPerUnit = 2

export class Canvas {
  readonly width: number
  readonly height: number
  /** Red, green and blue of each pixel, row by row. */
  readonly pixels: Uint8Array

  constructor({ width, height, shapes }: Picture) {
    this.width = width * pixelsPerUnit
    this.height = height * pixelsPerUnit
    this.pixels = new Uint8Array(this.width * this.height * 3).fill(255)
    for (const shape of shapes) this.#draw(shape)
  }

  #draw(shape: Shape): void {
    const colour = colourOf(shape.colour)
    if (shape.kind === 'words') return this.#write(shape, colour)
    if (shape.kind === 'circle') return this.#stroke(shape.centre, shape.centre, shape.radius, colour)
    const { points, width } = shape
    for (let index = 1; index < points.length; index++) {
      this.#stroke(points[index - 1]!, points[index]!, width / 2, colour)
    }
  }

  /** All that lies within `radius` of the way from one point to the other. */
  #stroke(from: Point, to: Point, radius: number, colour: Colour): void {
    const [a, b] = [scaled(from), scaled(to)]
    const reach = radius * pixelsPerUnit
    const xMax = Math.min(this.width - 1, Math.ceil(Math.max(a.x, b.x) + reach))
    const yMax = Math.min(this.height - 1, Math.ceil(Math.max(a.y, b.y) + reach))
    for (let y = Math.max(0, Math.floor(Math.min(a.y, b.y) - reach) - 1); y <= yMax; y++) {
      for (let x = Math.max(0, Math.floor(Math.min(a.x, b.x) - reach) - 1); x <= xMax; x++) {
        const away = distance({ x: x + 0.5, y: y + 0.5 }, a, b)
        this.#blend(x, y, Math.min(1, reach + 0.5 - away), colour)
      }
    }
  }

  #write({ words, at, anchor, upwards, large }: Words, colour: Colour): void {
    const letters = [...words]
    const length = letters.length * glyphAdvance * pixelsPerUnit
    const back = anchor === 'end' ? length : anchor === 'middle' ? length / 2 : 0
    const start = scaled(at)
    for (const [index, letter] of letters.entries()) {
      for (const { x, y } of glyphOf(letter)) {
        const along = (index * glyphAdvance + x) * pixelsPerUnit - back
        const above = (glyphHeight - y) * pixelsPerUnit
        for (let dot = 0; dot < pixelsPerUnit * pixelsPerUnit; dot++) {
          const [more, under] = [along + (dot % pixelsPerUnit), above - Math.floor(dot / pixelsPerUnit)]
          const [px, py] = upwards ? [start.x - under, start.y - more] : [start.x + more, start.y - under]
          this.#blend(Math.round(px), Math.round(py), 1, colour)
          // Bold.
          if (large) this.#blend(Math.round(px) + 1, Math.round(py), 1, colour)
        }
      }
    }
  }

  #blend(x: number, y: number, share: number, colour: Colour): void {
    if (share <= 0 || x < 0 || y < 0 || x >= this.width || y >= this.height) return
    const at = (y * this.width + x) * 3
    for (const [channel, value] of colour.entries()) {
      const under = this.pixels[at + channel]!
      this.pixels[at + channel] = Math.round(under + (value - under) * share)
    }
  }
}

function scaled({ x, y }: Point): Point {
  return { x: x * pixelsPerUnit, y: y * pixelsPerUnit }
}

function distance(of: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  const length = dx * dx + dy * dy
  const along = length === 0 ? 0 : ((of.x - from.x) * dx + (of.y - from.y) * dy) / length
  const share = Math.max(0, Math.min(1, along))
  return Math.hypot(of.x - from.x - share * dx, of.y - from.y - share * dy)
}

/** `#rrggbb`. */
function colourOf(name: string): Colour {
  const value = Number.parseInt(name.slice(1), 16)
  return [(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff]
}
