// What a history is checked against: the sequential meaning of the operations, one key at a time. Both checkers know
// the application through this interface alone, so another application is another model.

/**
 * Every method is pure and total. A model whose operations span several keys gives all keys that any operation ties
 * together the same name in `keyOf` (in the extreme one name for everything): checks stay right, and get slower.
 */
export interface Model<State, Operation, Result> {
  /** The state of a key that nothing has touched. */
  initial(key: string): State
  /** Leaves the state it was handed as it was. */
  step(state: State, operation: Operation): { readonly state: State; readonly result: Result }
  equalResults(left: Result, right: Result): boolean
  /** The same for equal states, different for different ones: searches recognise by it where they have been. */
  fingerprint(state: State): string | number | null
  /** The part of the state that an operation touches. Operations on different keys never notice each other. */
  keyOf(operation: Operation): string
  /** True if the operation changes no state, whatever it finds. */
  isRead(operation: Operation): boolean
  /** True only if an operation that gave this result has changed no state: reads, and refusals. */
  leavesState(operation: Operation, result: Result): boolean
  /** Different for different operations. */
  describe(operation: Operation): string
  describeResult(result: Result): string
}
