/**
 * What an executed put costs, in CPU time: `npm run bench:puts`. Blocks as a busy cluster decides them: one envelope of one session
 * with 256 puts of 128 bytes, over 10,000 keys that are overwritten again and again, checkpoints included. The digest at the end is
 * that of the last executed header: the same before and after a change that is to be a change of speed alone.
 */

import { nodeHasher } from '../src/crypto/node/sha256-hasher.ts'
import { Executor } from '../src/execution/executor.ts'
import { storeCommandCodec } from '../src/execution/store/commands.ts'
import { keyValueStore } from '../src/execution/store/key-value-store.ts'
import { payloadEnvelopesCodec, type Block } from '../src/kernel/block.ts'
import { digestBytes, publicKeyBytes } from '../src/kernel/crypto-ports.ts'
import { envelopeCodec, nonceBytes, type Envelope } from '../src/kernel/envelope.ts'
import { toHex } from '../src/kernel/hex.ts'
import { defaultParameters } from '../src/kernel/parameters.ts'
import { createRandom } from '../src/kernel/random.ts'
import { encode } from '../src/wire/codec.ts'

const operationsPerBlock = 256
const blocksWarm = 400
const rounds = 8
const blocksPerRound = 200
const keys = 10_000
const valueBytes = 128

const client = new Uint8Array(publicKeyBytes).fill(7)
const session = { height: 1, index: 0 }
const random = createRandom('executed puts')
const noise = Uint8Array.from({ length: 65_536 }, () => random.below(256))

function block(height: number, envelope: Envelope): Block {
  const payload = encode(payloadEnvelopesCodec, [encode(envelopeCodec, envelope)])
  return { header: { epoch: 1, height, timestamp: height, payloadDigest: new Uint8Array(digestBytes) }, payload }
}

function put(): Uint8Array {
  const key = new TextEncoder().encode(`key-${String(random.below(keys)).padStart(8, '0')}`)
  const at = random.below(noise.length - valueBytes)
  return encode(storeCommandCodec, { kind: 'put', key, value: noise.subarray(at, at + valueBytes), lease: 0 })
}

function opening(): Block {
  return block(1, {
    kind: 'open',
    client,
    nonce: new Uint8Array(nonceBytes),
    referenceHeight: 0,
    signature: new Uint8Array(0),
  })
}

function puts(height: number): Block {
  const firstNumber = (height - 2) * operationsPerBlock + 1
  return block(height, {
    kind: 'operations',
    client,
    session,
    firstNumber,
    acknowledgedNumber: Math.max(0, firstNumber - operationsPerBlock - 1),
    operations: Array.from({ length: operationsPerBlock }, put),
    signature: new Uint8Array(64),
  })
}

function execute(executor: Executor, blocks: readonly Block[]): number {
  const start = process.cpuUsage()
  for (const each of blocks) {
    executor.execute(each)
    while (executor.work());
    executor.takeHeaders()
  }
  const { user, system } = process.cpuUsage(start)
  return user + system
}

const { sessions, checkpoints } = defaultParameters('required')
const executor = new Executor({ machine: keyValueStore, hasher: nodeHasher, epoch: 1, sessions, checkpoints })
let height = 2
execute(executor, [opening()])
execute(
  executor,
  Array.from({ length: blocksWarm }, () => puts(height++)),
)
const costs: number[] = []
for (let round = 0; round < rounds; round++) {
  const blocks = Array.from({ length: blocksPerRound }, () => puts(height++))
  costs.push(execute(executor, blocks) / (blocksPerRound * operationsPerBlock))
}
costs.sort((left, right) => left - right)
const text = (cost: number): string => cost.toFixed(2)
console.log(
  `${text(costs[rounds / 2]!)} us of CPU a put (${text(costs[0]!)} to ${text(costs.at(-1)!)}), header ${toHex(executor.headerDigest).slice(0, 16)}`,
)
