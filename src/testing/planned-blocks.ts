// The commands of a plan as decided blocks: the first opens a session for each client, the others carry what they send.

import type { PublicKey } from '../kernel/crypto-ports.ts'
import { payloadDigest, payloadEnvelopesCodec, type Block } from '../kernel/block.ts'
import { envelopeCodec, nonceBytes, type Envelope, type OperationsEnvelope } from '../kernel/envelope.ts'
import { encode } from '../wire/codec.ts'
import { simulatedHasher } from '../simulator/simulated-suite.ts'
import type { PlannedCommand } from './plan.ts'

export interface EncodedCommand<Command, Query> extends PlannedCommand<Command, Query> {
  readonly bytes: Uint8Array
  readonly encodedQueries: readonly Uint8Array[]
}

export interface PlannedBlock<Command, Query> {
  readonly block: Block
  readonly commands: readonly EncodedCommand<Command, Query>[]
  /** Commands of all blocks below. */
  readonly commandsBefore: number
}

const noSignature = new Uint8Array(0)
const firstTimestampMs = 1_700_000_000_000
const blockBytesMax = 1_500_000

export function planBlocks<Command, Query>(
  commands: readonly EncodedCommand<Command, Query>[],
  clients: readonly PublicKey[],
): PlannedBlock<Command, Query>[] {
  let timestampMs = firstTimestampMs
  const openings = clients.map((client, index) => opening(client, index))
  const blocks: PlannedBlock<Command, Query>[] = [
    { block: blockOf(1, timestampMs, openings), commands: [], commandsBefore: 0 },
  ]
  const numbers = clients.map(() => 1)
  let commandsBefore = 0
  for (const group of groupsOf(commands)) {
    for (const { elapsedMs } of group) timestampMs += elapsedMs
    const block = blockOf(blocks.length + 1, timestampMs, envelopesOf(group, clients, numbers))
    blocks.push({ block, commands: group, commandsBefore })
    commandsBefore += group.length
  }
  return blocks
}

function groupsOf<Command, Query>(
  commands: readonly EncodedCommand<Command, Query>[],
): EncodedCommand<Command, Query>[][] {
  const groups: EncodedCommand<Command, Query>[][] = []
  let ended = true
  let size = 0
  for (const command of commands) {
    if (ended || size + command.bytes.length > blockBytesMax) {
      groups.push([])
      size = 0
    }
    groups.at(-1)!.push(command)
    size += command.bytes.length
    ended = command.endsBlock
  }
  return groups
}

/** One envelope for what a client sends in a row, so that commands stay in their order. */
function envelopesOf<Command, Query>(
  group: readonly EncodedCommand<Command, Query>[],
  clients: readonly PublicKey[],
  numbers: number[],
): Envelope[] {
  const envelopes: OperationsEnvelope[] = []
  let sender = -1
  for (const { client, bytes } of group) {
    if (client !== sender) {
      const firstNumber = numbers[client]!
      envelopes.push({
        kind: 'operations',
        client: clients[client]!,
        session: { height: 1, index: client },
        firstNumber,
        acknowledgedNumber: firstNumber - 1,
        operations: [],
        signature: noSignature,
      })
      sender = client
    }
    envelopes.at(-1)!.operations.push(bytes)
    numbers[client]!++
  }
  return envelopes
}

function opening(client: PublicKey, index: number): Envelope {
  const nonce = new Uint8Array(nonceBytes).fill(index)
  return { kind: 'open', client, nonce, referenceHeight: 0, signature: noSignature }
}

function blockOf(height: number, timestamp: number, envelopes: readonly Envelope[]): Block {
  const payload = encode(
    payloadEnvelopesCodec,
    envelopes.map((envelope) => encode(envelopeCodec, envelope)),
  )
  return { header: { epoch: 1, height, timestamp, payloadDigest: payloadDigest(simulatedHasher, payload) }, payload }
}
