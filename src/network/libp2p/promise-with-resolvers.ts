// Node 20 and browsers of before 2024 lack Promise.withResolvers, which libp2p's dependencies call at the first dial: without it the process
// dies of an uncaught error, or the page never connects. Imported for its effect, before libp2p is.

interface Resolvers {
  promise: Promise<unknown>
  resolve: (value: unknown) => void
  reject: (reason: unknown) => void
}

const constructor = Promise as unknown as { withResolvers?: () => Resolvers }

constructor.withResolvers ??= function withResolvers(): Resolvers {
  let resolve!: Resolvers['resolve']
  let reject!: Resolvers['reject']
  const promise = new Promise((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
