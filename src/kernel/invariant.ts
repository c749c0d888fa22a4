/** An invariant that only a bug of ours can break: the replica stops rather than go on with a broken state. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) broken(message)
}

/** For places so hot that the message is put together only when it is needed. */
export function broken(message: string): never {
  throw new Error(`invariant broken: ${message}`)
}
