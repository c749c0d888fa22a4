// Ctrl-C, a polite kill, and the end of the process that started this one: three ways to be told to stop.

export interface Interruption {
  readonly signal: AbortSignal
  /** Resolves with what it was. */
  readonly arrived: Promise<string>
  /** Resolves when it comes again: whoever waits is in a hurry. */
  readonly again: Promise<void>
  dispose(): void
}

export function watchInterruption(): Interruption {
  const controller = new AbortController()
  let arrive!: (reason: string) => void
  const arrived = new Promise<string>((resolve) => (arrive = resolve))
  let hurry!: () => void
  const again = new Promise<void>((resolve) => (hurry = resolve))
  const stop = (reason: string): void => {
    if (controller.signal.aborted) return hurry()
    controller.abort(new Error(`interrupted by ${reason}`))
    arrive(reason)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, stop)
  // A process that was started with a channel ends when its parent is gone, however that ended.
  const orphaned = (): void => stop('the end of its parent')
  process.on('disconnect', orphaned)
  // It may have gone before anybody listened.
  if (process.connected === false) orphaned()
  const unread = (): void => {
    if (!controller.signal.aborted) stop('the end of whoever read its output')
  }
  process.stdout.on('error', unread)
  process.stderr.on('error', unread)
  return {
    signal: controller.signal,
    arrived,
    again,
    dispose: () => {
      for (const signal of signals) process.off(signal, stop)
      process.off('disconnect', orphaned)
      process.stdout.off('error', unread)
      process.stderr.off('error', unread)
    },
  }
}
