// Why a run that ended without a verdict may be let off. The list is closed, and each excuse is computed from the simulator's
// world or from the checkers, never from what a replica says of itself. Their share is printed, and stays below 2%.

export type Excuse =
  /** The search for a linear order gave up at its budget; position-based checks have passed. */
  'linearizability-undecided'

export const excuses: readonly Excuse[] = ['linearizability-undecided']
