// Writes a picture as SVG.

import type { Picture, Point, Shape } from './shapes.ts'

export function svg({ width, height, shapes }: Picture): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...shapes.map(written),
    '</svg>',
    '',
  ].join('\n')
}

function written(shape: Shape): string {
  switch (shape.kind) {
    case 'line': {
      const points = shape.points.map(({ x, y }) => `${place(x)},${place(y)}`).join(' ')
      return `<polyline points="${points}" fill="none" stroke="${shape.colour}" stroke-width="${shape.width}" stroke-linejoin="round"/>`
    }
    case 'circle': {
      const { centre, radius, colour } = shape
      return `<circle cx="${place(centre.x)}" cy="${place(centre.y)}" r="${radius}" fill="${colour}"/>`
    }
    case 'words': {
      const { words, at, anchor, upwards, large, colour } = shape
      const turned = upwards ? ` transform="rotate(-90 ${around(at)})"` : ''
      const size = large ? ' font-size="14" font-weight="bold"' : ''
      return `<text x="${place(at.x)}" y="${place(at.y)}" text-anchor="${anchor}" fill="${colour}"${size}${turned}>${escaped(words)}</text>`
    }
  }
}

function around({ x, y }: Point): string {
  return `${place(x)} ${place(y)}`
}

function place(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
