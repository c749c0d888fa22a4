/**
 * What execution costs a CPU second, by machine and by how operations are gathered: `node bench/execution.ts` on a Node that strips
 * types. A hasher that does nothing shows what is left beside SHA-256. Each figure is the best of five rounds: on a shared machine the
 * fastest round is the least disturbed one.
 */

import { nothingMachine } from '../src/benchmark/nothing-machine.ts'
import { payloadEnvelopesCodec, type Block } from '../src/kernel/block.ts'
import { digestBytes, publicKeyBytes, type Hasher } from '../src/kernel/crypto-ports.ts'
import { envelopeCodec, nonceBytes, type Envelope } from '../src/kernel/envelope.ts'
import { defaultParameters } from '../src/kernel/parameters.ts'
import { nodeHasher } from '../src/crypto/node/sha256-hasher.ts'
import { encode } from '../src/wire/codec.ts'
import { Executor } from '../src/execution/executor.ts'
import type { ErasedStateMachineDefinition } from '../src/execution/state-machine.ts'
import { storeCommandCodec } from '../src/execution/store/commands.ts'
import { KeyValueStore, keyValueStore } from '../src/execution/store/key-value-store.ts'
import { StateRoot } from '../src/execution/state-root.ts'

const rounds = 5
const blocksPerRound = 100
const operationsPerBlock = 1000
const operationBytes = 128

const none = new Uint8Array(0)
const zeros = new Uint8Array(digestBytes)
const noHasher: Hasher = { digest: () => zeros }
const client = new Uint8Array(publicKeyBytes).fill(7)
const session = { height: 1, index: 0 }

const noMachine = nothingMachine()

function block(height: number, envelopes: readonly Envelope[]): Block {
  const payload = encode(
    payloadEnvelopesCodec,
    envelopes.map((envelope) => encode(envelopeCodec, envelope)),
  )
  return { header: { epoch: 1, height, timestamp: height, payloadDigest: zeros }, payload }
}

function operation(number: number, machine: ErasedStateMachineDefinition): Uint8Array {
  if (machine === noMachine) return new Uint8Array(operationBytes).fill(number)
  const key = new TextEncoder().encode(`key-${(number * 7919) % 100_000}`)
  return encode(storeCommandCodec, { kind: 'put', key, value: new Uint8Array(operationBytes - 40), lease: 0 })
}

function blocks(machine: ErasedStateMachineDefinition, perEnvelope: number): Block[] {
  const all = [
    block(1, [{ kind: 'open', client, nonce: new Uint8Array(nonceBytes), referenceHeight: 0, signature: none }]),
  ]
  const signature = new Uint8Array(64)
  let number = 1
  for (let height = 2; height <= blocksPerRound + 1; height++) {
    const envelopes: Envelope[] = []
    for (let first = 0; first < operationsPerBlock; first += perEnvelope) {
      const operations = Array.from({ length: perEnvelope }, (_, index) => operation(number + index, machine))
      const acknowledgedNumber = Math.max(number - 500, 0)
      envelopes.push({
        kind: 'operations',
        client,
        session,
        firstNumber: number,
        acknowledgedNumber,
        operations,
        signature,
      })
      number += perEnvelope
    }
    all.push(block(height, envelopes))
  }
  return all
}

function operationsPerSecond(machine: ErasedStateMachineDefinition, hasher: Hasher, perEnvelope: number): number {
  const all = blocks(machine, perEnvelope)
  const { sessions, checkpoints } = defaultParameters('required')
  let best = 0
  for (let round = 0; round < rounds; round++) {
    const executor = new Executor({ machine, hasher, epoch: 1, sessions, checkpoints })
    const start = process.cpuUsage()
    for (const each of all) executor.execute(each)
    const { user, system } = process.cpuUsage(start)
    best = Math.max(best, (blocksPerRound * operationsPerBlock * 1e6) / (user + system))
  }
  return best
}

console.log(
  `Node ${process.versions.node}, one thread, ${operationsPerBlock} operations of ${operationBytes} bytes a block`,
)
console.log('\nmachine          hasher    operations an envelope   operations a CPU second')
for (const machine of [noMachine, keyValueStore]) {
  for (const [name, hasher] of [
    ['none', noHasher],
    ['sha256', nodeHasher],
  ] as const) {
    for (const perEnvelope of [1, 10, 100]) {
      const rate = Math.round(operationsPerSecond(machine, hasher, perEnvelope))
      console.log(
        `${machine.name.padEnd(16)} ${name.padEnd(9)} ${String(perEnvelope).padStart(22)} ${String(rate).padStart(25)}`,
      )
    }
  }
}

function keyOf(number: number): Uint8Array {
  return new TextEncoder().encode(`key-${number}`)
}

function timed(what: string, work: () => unknown): void {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  console.log(`${what.padEnd(44)} ${((user + system) / 1000).toFixed(2).padStart(10)} ms CPU`)
}

/** A large store: what a view, a root from scratch, and a root after some writes cost. */
function largeState(keys: number, valueBytes: number): void {
  const store = new KeyValueStore()
  const put = (number: number) =>
    store.apply({ kind: 'put', key: keyOf(number), value: new Uint8Array(valueBytes), lease: 0 })
  for (let number = 0; number < keys; number++) {
    store.begin()
    put(number)
    store.commit()
  }
  const root = new StateRoot(nodeHasher)
  const compute = (): unknown =>
    root.compute(
      (function* () {
        for (const chunk of store.snapshot()) {
          yield { part: 'application' as const, id: chunk.id, version: chunk.version, bytes: () => chunk.bytes() }
        }
      })(),
    )
  console.log(`\n${keys} keys with values of ${valueBytes} bytes`)
  timed('taking a view', () => store.snapshot())
  timed('root from scratch', compute)
  console.log(`  chunks: ${root.chunksHashed}`)
  timed('1,000 writes after a view', () => {
    for (let number = 0; number < 1000; number++) put((number * 7919) % keys)
  })
  timed('root after 1,000 writes', compute)
  console.log(`  chunks: ${root.chunksHashed}`)
  timed('root after none', compute)
}

largeState(100_000, 128)
largeState(1_048_576, 1024)
