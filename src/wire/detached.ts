/** For what outlives the message that it came in: a small view of a large buffer would keep all of it alive. */
export function detached(view: Uint8Array): Uint8Array {
  return view.buffer.byteLength > 2 * view.length + 4096 ? new Uint8Array(view) : view
}
