// Why a run that ended without a verdict may be let off. The list is closed, and each excuse is computed from the simulator's
// world or from the checkers, never from what a replica says of itself. Their share is printed; that of the weighed ones stays below 2%.

export type Excuse =
  /** The search for a linear order gave up at its budget; position-based checks have passed. */
  | 'linearizability-undecided'
  /** three-chain alone: without those who are lost or lie, never do as many leaders follow each other as a commit needs. */
  | 'no-run-of-leaders'

/** Their share says how much a sweep has checked. That leaders cannot commit is the rule's own, and all else of such a run was checked. */
export const weighedExcuses: readonly Excuse[] = ['linearizability-undecided']
