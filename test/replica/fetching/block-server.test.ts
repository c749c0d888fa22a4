// A server gives what its protocol has to members only, in turn, and never more than a turn and a second may cost.

import { describe, expect, it } from 'vitest'
import type { Digest } from '../../../src/kernel/crypto-ports.ts'
import type { Height, ReplicaId } from '../../../src/kernel/ids.ts'
import { membershipOf } from '../../../src/kernel/membership.ts'
import { BlockServer } from '../../../src/replica/fetching/block-server.ts'
import {
  fetchAnswerCodec,
  fetchRequestCodec,
  type DecidedBlock,
  type FetchAnswer,
  type FetchRequest,
} from '../../../src/replica/fetching/fetching-messages.ts'
import {
  answerBytesMax,
  blocksAnsweredMax,
  blocksBytesPerSecond,
  requestBytesMax,
  requestsWaitingMax,
  servedAnswersAtOnce,
  servedBytesAtOnce,
} from '../../../src/replica/fetching/limits.ts'
import { decode, encode } from '../../../src/wire/codec.ts'
import { blocksAt, epochOf, id } from './world.ts'

const mebibyte = 1024 * 1024

interface Holding {
  payload?: (digest: Digest) => Uint8Array | null
  decided?: (fromHeight: Height, bytesMax: number) => DecidedBlock[]
}

function create({ payload = () => null, decided = () => [] }: Holding = {}) {
  const answers: { to: ReplicaId; answer: FetchAnswer; bytes: number }[] = []
  const dropped: string[] = []
  const server = new BlockServer({
    self: id(1),
    membership: membershipOf(epochOf(4)),
    source: { payload, decided },
    send: (to, body) => {
      const answer = decode(fetchAnswerCodec, body)
      if (!answer.ok) throw answer.error
      answers.push({ to, answer: answer.value, bytes: body.length })
    },
    dropped: (from, reason) => dropped.push(`${from} ${reason}`),
  })
  return {
    server,
    dropped,
    ask: (from: number, request: FetchRequest) => server.message(id(from), encode(fetchRequestCodec, request)),
    answers: () => answers.splice(0),
  }
}

const payloadRequest = (number: number): FetchRequest => ({
  kind: 'payload-request',
  number,
  digest: new Uint8Array(32).fill(number),
})
const blocksRequest = (number: number, fromHeight: Height, toHeight: Height): FetchRequest => ({
  kind: 'blocks-request',
  number,
  fromHeight,
  toHeight,
})

describe('an answer', () => {
  it('is what the protocol holds, in the turn that follows', () => {
    const held = new Map([[5, Uint8Array.of(1, 2, 3)]])
    const { server, ask, answers } = create({
      payload: (digest) => held.get(digest[0]!) ?? null,
      decided: (fromHeight) => (fromHeight === 3 ? blocksAt(3, 5) : []),
    })
    ask(2, payloadRequest(5))
    ask(2, payloadRequest(6))
    ask(2, blocksRequest(7, 3, 9))
    ask(2, blocksRequest(8, 2, 9))
    expect(answers()).toEqual([])
    server.work(0)
    expect(answers().map(({ to, answer }) => [to, answer])).toEqual([
      [2, { kind: 'payload', number: 5, payload: Uint8Array.of(1, 2, 3) }],
      [2, { kind: 'payload', number: 6, payload: null }],
      [2, { kind: 'blocks', number: 7, blocks: blocksAt(3, 5) }],
      [2, { kind: 'blocks', number: 8, blocks: [] }],
    ])
    expect(server.nextDueMs(0)).toBeNull()
  })

  it('ends at the height asked for', () => {
    const { server, ask, answers } = create({ decided: (fromHeight) => blocksAt(fromHeight, fromHeight + 9) })
    ask(2, blocksRequest(1, 3, 4))
    ask(2, blocksRequest(2, 4, 3))
    server.work(0)
    expect(answers().map(({ answer }) => answer.kind === 'blocks' && answer.blocks.length)).toEqual([2, 0])
  })

  it('has room for so many blocks and bytes, and always for one', () => {
    const sizes: number[] = []
    const bytes = [1, mebibyte, 2 * mebibyte, answerBytesMax]
    const { server, ask, answers } = create({
      decided: (fromHeight, bytesMax) => {
        sizes.push(bytesMax)
        const payload = new Uint8Array(bytes[fromHeight]!)
        return blocksAt(fromHeight, fromHeight + blocksAnsweredMax).map(({ block: { header }, proof }) => ({
          block: { header, payload },
          proof,
        }))
      },
    })
    for (const [fromHeight] of bytes.entries()) {
      ask(2, blocksRequest(fromHeight, fromHeight, 9999))
      server.work(fromHeight * 1000)
    }
    const counts = answers().map(({ answer }) => answer.kind === 'blocks' && answer.blocks.length)
    expect(counts).toEqual([blocksAnsweredMax, 4, 2, 1])
    expect(sizes).toEqual(bytes.map(() => answerBytesMax))
  })
})

describe('a request', () => {
  it('is a member’s, well-formed and small, or is dropped', () => {
    const { server, ask, dropped, answers } = create()
    ask(9, payloadRequest(1))
    ask(1, payloadRequest(1))
    server.message(id(2), Uint8Array.of(9))
    server.message(id(2), new Uint8Array(requestBytesMax + 1).fill(1))
    // Learners are members.
    ask(5, payloadRequest(2))
    server.work(0)
    expect(dropped).toEqual(['9 not a member', '1 not a member', '2 ERR_WIRE_TAG', '2 too large'])
    expect(answers().map(({ to }) => to)).toEqual([5])
  })

  it('that waits keeps nothing of its frame', () => {
    const seen: number[] = []
    const { server } = create({ payload: (digest) => (seen.push(digest.buffer.byteLength), null) })
    const body = encode(fetchRequestCodec, payloadRequest(1))
    const frame = new Uint8Array(100_000)
    frame.set(body)
    server.message(id(2), frame.subarray(0, body.length))
    server.work(0)
    expect(seen).toEqual([body.length])
  })

  it('waits for its sender’s others, and for nobody else’s', () => {
    const { server, ask, dropped, answers } = create()
    for (let number = 1; number <= requestsWaitingMax + 2; number++) ask(2, payloadRequest(number))
    expect(dropped).toEqual(['2 too many requests', '2 too many requests'])
    ask(3, payloadRequest(1))
    ask(3, payloadRequest(2))
    ask(4, payloadRequest(1))
    server.work(0)
    expect(
      answers()
        .map(({ to }) => to)
        .slice(0, 6),
    ).toEqual([2, 3, 4, 2, 3, 2])
  })
})

describe('what is handed out', () => {
  const large = { payload: () => new Uint8Array(mebibyte) }

  it('is bounded in one turn, by answers and by bytes', () => {
    const small = create()
    for (const from of [2, 3]) for (let number = 1; number <= 10; number++) small.ask(from, payloadRequest(number))
    small.server.work(0)
    expect(small.answers()).toHaveLength(servedAnswersAtOnce)
    small.server.work(0)
    expect(small.answers()).toHaveLength(20 - servedAnswersAtOnce)
    const { server, ask, answers } = create(large)
    for (let number = 1; number <= 10; number++) ask(2, payloadRequest(number))
    server.work(0)
    expect(answers()).toHaveLength(servedBytesAtOnce / mebibyte)
  })

  it('is bounded in one second, and says when there is room for more', () => {
    const { server, ask, answers } = create(large)
    let bytes = 0
    let nowMs = 0
    while (nowMs < 2000) {
      for (let number = 1; number <= 4; number++) ask(2, payloadRequest(number))
      server.work(nowMs)
      bytes += answers().reduce((sum, answer) => sum + answer.bytes, 0)
      nowMs = Math.max(nowMs + 0.25, server.nextDueMs(nowMs) ?? 0)
    }
    // What was saved up, two seconds' worth, and the last answer.
    expect(bytes).toBeLessThan(2.25 * blocksBytesPerSecond + 2 * servedBytesAtOnce)
    expect(bytes).toBeGreaterThan(2 * blocksBytesPerSecond)
  })
})
