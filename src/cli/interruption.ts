// Ctrl-C, a polite kill, and the end of the process that started this one: three ways to be told to stop.

export interface Interruption {
  readonly signal: AbortSignal
  /** Resolves with what it was. */
  readonly arrived: Promise<string>
  dispose(): void
}

export function watchInterruption(): Interruption {
  const controller = new AbortController()
  let arrive!: (reason: string) => void
  const arrived = new Promise<string>((resolve) => (arrive = resolve))
  const stop = (reason: string): void => {
    controller.abort(new Error(`interrupted by ${reason}`))
    arrive(reason)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, stop)
  // A process that was started with a channel ends when its parent is gone, however that ended.
  const orphaned = (): void => stop('the end of its parent')
  process.on('disconnect', orphaned)
  return {
    signal: controller.signal,
    arrived,
    dispose: () => {
      for (const signal of signals) process.off(signal, stop)
      process.off('disconnect', orphaned)
    },
  }
}
