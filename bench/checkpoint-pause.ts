/**
 * How long a checkpoint holds execution up: `npm run bench:checkpoint`. A store of a gigabyte, blocks of scattered writes, and after each
 * block one slice of the root that is due, as a replica does it in a turn. Printed: how long turns take, beside those of the same blocks
 * without checkpoints; how long a root takes; and how much memory is held. Times are of CPU, all threads: on a
 * shared machine the clock says how busy the others were. Collections are by the clock. Less can be asked for:
 * `--keys 100000 --interval 128 --blocks 256 --operations 8,1000`.
 */

import { PerformanceObserver } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { nodeHasher } from '../src/crypto/node/sha256-hasher.ts'
import { Executor } from '../src/execution/executor.ts'
import { storeCommandCodec } from '../src/execution/store/commands.ts'
import { keyValueStore } from '../src/execution/store/key-value-store.ts'
import { payloadEnvelopesCodec, type Block } from '../src/kernel/block.ts'
import { digestBytes, publicKeyBytes } from '../src/kernel/crypto-ports.ts'
import { envelopeCodec, nonceBytes, type Envelope } from '../src/kernel/envelope.ts'
import { defaultParameters } from '../src/kernel/parameters.ts'
import { encode } from '../src/wire/codec.ts'

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1048576' },
    interval: { type: 'string', default: '128' },
    blocks: { type: 'string', default: '512' },
    operations: { type: 'string', default: '8,1000' },
  },
})
const keys = Number(values.keys)
const intervalHeights = Number(values.interval)
const measuredBlocks = Number(values.blocks)
const valueBytes = 1024
const operationsPerEnvelope = 100
const fillOperations = 1000
const never = 1_000_000_000
/** Coprime to any number of keys that is a power of two, so that writes are scattered over all of them. */
const stride = 7919

const client = new Uint8Array(publicKeyBytes).fill(7)
const session = { height: 1, index: 0 }
const signature = new Uint8Array(64)

class Load {
  readonly executor: Executor
  /** Read by the executor at each block: the same state is measured with checkpoints and without. */
  readonly checkpoints = { intervalHeights: never }
  #number = 1
  #key = 0

  constructor() {
    const { sessions } = defaultParameters('required')
    const { checkpoints } = this
    this.executor = new Executor({ machine: keyValueStore, hasher: nodeHasher, epoch: 1, sessions, checkpoints })
    const nonce = new Uint8Array(nonceBytes)
    this.executor.execute(this.#block([{ kind: 'open', client, nonce, referenceHeight: 0, signature }]))
  }

  /** The next block: puts to keys far apart. */
  block(operations: number): Block {
    const envelopes: Envelope[] = []
    for (let left = operations; left > 0; left -= operationsPerEnvelope) {
      const count = Math.min(left, operationsPerEnvelope)
      const contents = Array.from({ length: count }, () => this.#put())
      const numbers = { firstNumber: this.#number, acknowledgedNumber: Math.max(this.#number - 100, 0) }
      envelopes.push({ kind: 'operations', client, session, ...numbers, operations: contents, signature })
      this.#number += count
    }
    return this.#block(envelopes)
  }

  fill(): void {
    for (let left = keys; left > 0; left -= fillOperations) {
      this.executor.execute(this.block(Math.min(left, fillOperations)))
      this.executor.takeHeaders()
    }
  }

  #put(): Uint8Array {
    this.#key = (this.#key + stride) % keys
    const key = new TextEncoder().encode(`key-${this.#key}`)
    return encode(storeCommandCodec, {
      kind: 'put',
      key,
      value: new Uint8Array(valueBytes).fill(this.#number),
      lease: 0,
    })
  }

  #block(envelopes: readonly Envelope[]): Block {
    const height = this.executor.height + 1
    const payload = encode(
      payloadEnvelopesCodec,
      envelopes.map((envelope) => encode(envelopeCodec, envelope)),
    )
    return { header: { epoch: 1, height, timestamp: height, payloadDigest: new Uint8Array(digestBytes) }, payload }
  }
}

interface Measured {
  /** Milliseconds of each. */
  turns: number[]
  /** Milliseconds of the roots, from the block of the checkpoint to its header. */
  roots: number[]
  /** Turns in which no block could be executed. */
  waitingTurns: number
  chunksHashed: number
  totalMs: number
  collectionMs: number
  /** The longest turn into which no collection fell. */
  undisturbedMs: number
}

/** In milliseconds, the collector's own threads included: never less than the thread of the turns has had. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** By the clock. */
interface Span {
  startMs: number
  endMs: number
}

/** The garbage collector's pauses since a measurement began. */
let collections: Span[] = []
const collectionObserver = new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries())
    collections.push({ startMs: startTime, endMs: startTime + duration })
})
collectionObserver.observe({ entryTypes: ['gc'] })

/** Turns as a replica has them: a block if one may be executed, a slice of the root, and the loop goes round. */
async function measure(load: Load, operations: number, blocksWanted: number): Promise<Measured> {
  const { executor, checkpoints } = load
  const measured: Measured = {
    turns: [],
    roots: [],
    waitingTurns: 0,
    chunksHashed: 0,
    totalMs: 0,
    collectionMs: 0,
    undisturbedMs: 0,
  }
  await new Promise((resolve) => setTimeout(resolve, 100))
  collections = []
  const spans: Span[] = []
  let pendingSinceMs: number | null = null // of all turns' time
  let blocks = 0
  while (blocks < blocksWanted || pendingSinceMs !== null) {
    const block = executor.mayExecute && blocks < blocksWanted ? load.block(operations) : null
    const clockMs = performance.now()
    const startMs = cpuMs()
    if (block !== null) executor.execute(block)
    if (block !== null && executor.height % checkpoints.intervalHeights === 0) pendingSinceMs ??= measured.totalMs
    executor.work()
    const headers = executor.takeHeaders()
    const endMs = cpuMs()
    if (block === null) measured.waitingTurns++
    else blocks++
    measured.turns.push(endMs - startMs)
    spans.push({ startMs: clockMs, endMs: performance.now() })
    measured.totalMs += endMs - startMs
    if (pendingSinceMs !== null && headers.some(({ stateRoot }) => stateRoot !== null)) {
      measured.roots.push(measured.totalMs - pendingSinceMs)
      measured.chunksHashed += executor.chunksHashed
      pendingSinceMs = null
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise((resolve) => setTimeout(resolve, 100))
  measured.collectionMs = Math.max(0, ...collections.map((each) => each.endMs - each.startMs))
  const meets = (turn: Span): boolean =>
    collections.some((each) => each.startMs < turn.endMs && each.endMs > turn.startMs)
  measured.undisturbedMs = Math.max(0, ...measured.turns.filter((_, index) => !meets(spans[index]!)))
  return measured
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024).toLocaleString('en')} MB`
}

function memory(): string {
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return `heap ${megabytes(heapUsed)}, array buffers ${megabytes(arrayBuffers)}, resident ${megabytes(rss)}`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function report(name: string, operations: number, measured: Measured): void {
  const turns = measured.turns.toSorted((left, right) => left - right)
  const at = (share: number): string => turns[Math.min(turns.length - 1, Math.floor(turns.length * share))]!.toFixed(1)
  const rate = Math.round((measuredBlocks * operations * 1000) / measured.totalMs).toLocaleString('en')
  print(
    `${name}: ${rate} operations a CPU second; turns: median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms (${measured.undisturbedMs.toFixed(1)} ms without a collection in it; the longest collection ${measured.collectionMs.toFixed(1)} ms)`,
  )
  if (measured.roots.length === 0) return
  const roots = measured.roots.toSorted((left, right) => left - right)
  const chunks = Math.round(measured.chunksHashed / roots.length)
  print(
    `    ${roots.length} roots: median ${roots[roots.length >> 1]!.toFixed(0)} ms, longest ${roots.at(-1)!.toFixed(0)} ms, ${chunks} chunks hashed each; ` +
      `${measured.waitingTurns} of ${turns.length} turns waited for one`,
  )
}

print(
  `Node ${process.versions.node}, ${keys.toLocaleString('en')} keys of ${valueBytes} bytes, a checkpoint every ${intervalHeights} blocks`,
)
const load = new Load()
load.fill()
print(`filled: ${memory()}`)
load.checkpoints.intervalHeights = intervalHeights
print(`the first root: ${(await measure(load, 1, intervalHeights)).roots[0]!.toFixed(0)} ms`)
for (const operations of values.operations.split(',').map(Number)) {
  print(`${operations} operations a block`)
  for (const interval of [never, intervalHeights]) {
    load.checkpoints.intervalHeights = interval
    report(
      interval === never ? '  without checkpoints' : '  with',
      operations,
      await measure(load, operations, measuredBlocks),
    )
    print(`    ${memory()}`)
  }
}
