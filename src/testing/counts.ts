// What a check has tried: a silence means as much as this.

export interface Counts {
  runs: number
  commands: number
  /** Commands that `validate` refused. */
  refused: number
  blocks: number
  snapshots: number
  restores: number
  queries: number
  /** Transactions that were tried and undone. */
  rollbacks: number
}

export function noCounts(): Counts {
  return { runs: 0, commands: 0, refused: 0, blocks: 0, snapshots: 0, restores: 0, queries: 0, rollbacks: 0 }
}
