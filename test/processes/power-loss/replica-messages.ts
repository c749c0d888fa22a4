// What a replica's process tells the one that kills it.

export type Told =
  | { kind: 'loaded' }
  | { kind: 'opening' }
  | { kind: 'ready'; incarnation: number }
  /** Did not start. */
  | { kind: 'refused'; message: string }
  /** Started, and failed for good. */
  | { kind: 'failed'; message: string }
