// libp2p takes what time it wants to stop, and what it waits for may hang on nothing that keeps Node alive: a process that awaited it
// would then end in the middle, with code 13. It gets so long, with a timer that does keep Node alive, and is left alone then.

import type { Libp2p } from 'libp2p'

const stopMsMax = 1_000

export async function stopNode(node: Libp2p): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, stopMsMax)))
  await Promise.race([Promise.resolve(node.stop()).catch(() => {}), patience])
  clearTimeout(timer)
}
