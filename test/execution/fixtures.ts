// What the tests of execution share: envelopes, blocks, small machines, readable outcomes.

import { payloadEnvelopesCodec, type Block } from '../../src/kernel/block.ts'
import { digestBytes, publicKeyBytes, type PublicKey } from '../../src/kernel/crypto-ports.ts'
import { envelopeCodec, nonceBytes, type Envelope, type SessionId } from '../../src/kernel/envelope.ts'
import type { ExecutedHeader } from '../../src/kernel/executed-header.ts'
import { outcomeCodec, type Outcome } from '../../src/kernel/outcome.ts'
import type { SessionParameters } from '../../src/kernel/parameters.ts'
import { portableHasher } from '../../src/crypto/portable/sha256-hasher.ts'
import { decode, encode } from '../../src/wire/codec.ts'
import type { ExecutedBlock, OperationReply } from '../../src/execution/executed-block.ts'
import { Executor, type CheckpointState, type ExecutorOptions } from '../../src/execution/executor.ts'
import type { RestoredPartChunk } from '../../src/execution/state-parts.ts'
import { simpleSnapshot } from '../../src/execution/simple-snapshot.ts'
import { defineStateMachine } from '../../src/execution/state-machine.ts'
import { bytesCodec, jsonCodec } from '../../src/execution/value-codec.ts'

export const hasher = portableHasher
export const none: Uint8Array = new Uint8Array(0)

export function clientKey(number: number): PublicKey {
  return new Uint8Array(publicKeyBytes).fill(number)
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

export function open(client: number, nonce: number, referenceHeight = 0): Envelope {
  const bytes = new Uint8Array(nonceBytes).fill(nonce)
  return { kind: 'open', client: clientKey(client), nonce: bytes, referenceHeight, signature: none }
}

export function operations(
  client: number,
  session: SessionId,
  firstNumber: number,
  contents: readonly (string | Uint8Array)[],
  acknowledgedNumber = 0,
): Envelope {
  const list = contents.map((content) => (typeof content === 'string' ? text(content) : content))
  const key = clientKey(client)
  return {
    kind: 'operations',
    client: key,
    session,
    firstNumber,
    acknowledgedNumber,
    operations: list,
    signature: none,
  }
}

export function cancel(client: number, session: SessionId, firstNumber: number, count: number): Envelope {
  return { kind: 'cancel', client: clientKey(client), session, firstNumber, count, signature: none }
}

export function close(client: number, session: SessionId): Envelope {
  return { kind: 'close', client: clientKey(client), session, signature: none }
}

export function payloadOf(envelopes: readonly (Envelope | Uint8Array)[]): Uint8Array {
  const encoded = envelopes.map((each) => (each instanceof Uint8Array ? each : encode(envelopeCodec, each)))
  return encode(payloadEnvelopesCodec, encoded)
}

export function blockOf(
  height: number,
  envelopes: readonly (Envelope | Uint8Array)[],
  timestamp = height * 1000,
  epoch = 1,
): Block {
  const header = { epoch, height, timestamp, payloadDigest: new Uint8Array(digestBytes) }
  return { header, payload: payloadOf(envelopes) }
}

export const sessionParameters: SessionParameters = {
  repliesKept: 8,
  lifetimeHeights: 20,
  perClientMax: 3,
  totalMax: 6,
}

/** Appends what it is given to a log, and answers with the log's length. "boom" makes it throw half-way, "bad" is invalid. */
export const logMachine = defineStateMachine({
  name: 'log',
  version: 1,
  command: bytesCodec,
  query: bytesCodec,
  result: jsonCodec<number>(),
  validate: (command) => (new TextDecoder().decode(command) === 'bad' ? 'bad commands are refused' : null),
  create: () => {
    let log: string[] = []
    return {
      apply: (command) => {
        log.push(new TextDecoder().decode(command))
        if (log.at(-1) === 'boom') throw new Error('boom')
        return log.length
      },
      query: () => log.length,
      ...simpleSnapshot(
        () => text(JSON.stringify(log)),
        (bytes) => {
          log = JSON.parse(new TextDecoder().decode(bytes)) as string[]
        },
      ),
    }
  },
})

export function createExecutor(options: Partial<ExecutorOptions> = {}): Executor {
  return new Executor({
    machine: logMachine,
    hasher,
    epoch: 1,
    sessions: sessionParameters,
    checkpoints: { intervalHeights: 4 },
    ...options,
  })
}

/** Executes the envelopes as the next block. */
export function run(executor: Executor, ...envelopes: (Envelope | Uint8Array)[]): WithHeader {
  return finish(executor, blockOf(executor.height + 1, envelopes))
}

export type WithHeader = ExecutedBlock & { header: ExecutedHeader }

/** Executes the block, and works until its header is finished. */
export function finish(executor: Executor, block: Block): WithHeader {
  const executed = executor.execute(block)
  while (executor.work());
  return { ...executed, header: executor.takeHeaders().at(-1)! }
}

export function outcome(bytes: Uint8Array): Outcome {
  const decoded = decode(outcomeCodec, bytes)
  if (!decoded.ok) throw decoded.error
  return decoded.value
}

/** An outcome in one word: the result as text, the code of a refusal, or the kind. */
export function word(bytes: Uint8Array): string {
  const value = outcome(bytes)
  if (value.kind === 'executed') return new TextDecoder().decode(value.result)
  return value.kind === 'refused' ? value.code : value.kind
}

/** "number: outcome" for each reply, with "again" where it was stored. */
export function words(executed: ExecutedBlock): string[] {
  return executed.replies.map((reply) =>
    reply.kind === 'opening'
      ? `opening: ${word(reply.outcome)}`
      : `${reply.number}: ${word(reply.outcome)}${reply.fresh ? '' : ' again'}`,
  )
}

export function operationReplies(executed: ExecutedBlock): OperationReply[] {
  return executed.replies.filter((reply) => reply.kind === 'operation')
}

/** Opens a session in a block of its own. */
export function openSession(executor: Executor, client: number, nonce: number): SessionId {
  const executed = run(executor, open(client, nonce, executor.height))
  const opened = outcome(executed.replies[0]!.outcome)
  if (opened.kind !== 'opened') throw new Error(`not opened: ${opened.kind}`)
  return opened.session
}

/** The checkpoint's chunks as they would be transferred. */
export function transferred(checkpoint: CheckpointState): RestoredPartChunk[] {
  return [...checkpoint.chunks].map(({ part, id, bytes }) => ({ part, id, bytes: bytes() }))
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
