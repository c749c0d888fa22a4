// A picture as a list of what is in it, for two writers: svg.ts, which a browser shows, and png.ts, which anything shows.

export interface Point {
  x: number
  y: number
}

export type Shape =
  /** From point to point; round where they meet. */
  | { kind: 'line'; points: readonly Point[]; colour: string; width: number }
  | { kind: 'circle'; centre: Point; radius: number; colour: string }
  | Words

export interface Words {
  kind: 'words'
  words: string
  /** On the line that the letters stand on. */
  at: Point
  anchor: 'start' | 'middle' | 'end'
  /** Written upwards. */
  upwards: boolean
  large: boolean
  colour: string
}

export interface Picture {
  width: number
  height: number
  shapes: readonly Shape[]
}

export function moved(shape: Shape, by: Point): Shape {
  const move = ({ x, y }: Point): Point => ({ x: x + by.x, y: y + by.y })
  switch (shape.kind) {
    case 'line':
      return { ...shape, points: shape.points.map(move) }
    case 'circle':
      return { ...shape, centre: move(shape.centre) }
    case 'words':
      return { ...shape, at: move(shape.at) }
  }
}
