// From addresses in a network file to sockets that listen, or a sentence about why they do not.

import { QuorateError } from '../kernel/quorate-error.ts'

/** What an abort ends says so by the signal's own reason. */
export async function listen(
  start: () => Promise<void>,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await start()
  } catch (cause) {
    signal.throwIfAborted()
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `${addresses.join(', ')} cannot be listened at (${reason}): free the port, or correct the address`
    throw new QuorateError('ERR_LISTEN', message, { cause })
  }
}
