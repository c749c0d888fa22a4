/** An invariant that only a bug of ours can break: the replica stops rather than go on with a broken state. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`raft invariant broken: ${message}`)
}
