// Whatever servers do, a fetch ends once, in bounded time, with what was asked for or with a failure; and who lied is asked last from then on.

import { describe, expect, it } from 'vitest'
import { payloadDigest } from '../../../src/kernel/block.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import type { FetchResult } from '../../../src/kernel/protocol.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import type { WantedHere } from '../../../src/replica/fetching/answer-checks.ts'
import { Fetcher } from '../../../src/replica/fetching/fetcher.ts'
import {
  fetchAnswerCodec,
  fetchRequestCodec,
  type DecidedBlock,
  type FetchAnswer,
  type FetchRequest,
} from '../../../src/replica/fetching/fetching-messages.ts'
import {
  answerMsMax,
  answerMsMin,
  blocksAnsweredMax,
  fetchesMax,
  requestsAskedMax,
  signaturesAskedMax,
} from '../../../src/replica/fetching/limits.ts'
import { decode, encode } from '../../../src/wire/codec.ts'
import { hasher } from '../../execution/fixtures.ts'
import { blockAt, blocksAt, epochOf, id, payloadAt } from './world.ts'

interface Request {
  to: ReplicaId
  request: FetchRequest
}

function create(voters = 4, seed: number | string = 1) {
  const requests: Request[] = []
  const ends: { wanted: WantedHere; from: ReplicaId; result: FetchResult }[] = []
  const notes: string[] = []
  const dropped: string[] = []
  let nowMs = 0
  let verified = 0
  const fetcher = new Fetcher({
    epoch: epochOf(voters),
    self: id(1),
    definition: {
      verifyDecision: (_epoch, _header, proof) => (verified++, proof.kind === 'raft' && proof.term === 1),
    },
    ports: { hasher, verifier: { verify: () => true } },
    random: createRandom(seed),
    host: {
      send: (to, body) => {
        const request = decode(fetchRequestCodec, body)
        if (!request.ok) throw request.error
        requests.push({ to, request: request.value })
      },
      fetched: (wanted, from, result) => ends.push({ wanted, from, result }),
      note: ({ kind, detail }) => notes.push(`${kind} ${String(detail?.['server'])}: ${String(detail?.['why'])}`),
      dropped: (from, reason) => dropped.push(`${from} ${reason}`),
    },
  })
  return {
    fetcher,
    notes,
    dropped,
    verified: () => verified,
    want: (wanted: WantedHere, ...from: number[]) =>
      fetcher.want(
        wanted,
        from.map((one) => id(one)),
        nowMs,
      ),
    /** Since it was last asked. */
    requests: () => requests.splice(0),
    asked: () => requests.splice(0).map(({ to }) => to),
    ends: () => ends.splice(0),
    answer: (from: ReplicaId, answer: FetchAnswer) => fetcher.message(from, encode(fetchAnswerCodec, answer), nowMs),
    receive: (from: ReplicaId, body: Uint8Array) => fetcher.message(from, body, nowMs),
    wait: (ms: number) => {
      nowMs += ms
      fetcher.tick(nowMs)
    },
    now: () => nowMs,
  }
}

const wantedPayload = (height = 5): WantedHere => ({
  kind: 'payload',
  digest: payloadDigest(hasher, payloadAt(height)),
  height,
})
const wantedBlocks: WantedHere = { kind: 'decided', fromHeight: 3, toHeight: 9 }
const payloadAnswer = (number: number, payload: Uint8Array | null): FetchAnswer => ({
  kind: 'payload',
  number,
  payload,
})
const blocksAnswer = (number: number, blocks: DecidedBlock[]): FetchAnswer => ({ kind: 'blocks', number, blocks })

describe('a fetch', () => {
  it('of a payload asks one server, and ends with what it gave', () => {
    const { want, requests, answer, ends, fetcher } = create()
    want(wantedPayload(), 2, 3, 4)
    const [asked, ...others] = requests()
    expect(others).toEqual([])
    const { number } = asked!.request
    expect(asked!.request).toEqual({ kind: 'payload-request', number, digest: payloadDigest(hasher, payloadAt(5)) })
    answer(asked!.to, payloadAnswer(number, payloadAt(5)))
    const result = { kind: 'payload', payload: payloadAt(5) }
    expect(ends()).toEqual([{ wanted: wantedPayload(), from: asked!.to, result }])
    expect([requests(), fetcher.nextDueMs()]).toEqual([[], null])
  })

  it('keeps nothing of the frame that its payload came in', () => {
    const { want, requests, receive, ends } = create()
    want(wantedPayload(), 2)
    const body = encode(fetchAnswerCodec, payloadAnswer(requests()[0]!.request.number, payloadAt(5)))
    const frame = new Uint8Array(100_000)
    frame.set(body, 7)
    receive(id(2), frame.subarray(7, 7 + body.length))
    const kept = ends().map(({ result }) => result.kind === 'payload' && result.payload.buffer.byteLength)
    expect(kept).toEqual([8])
  })

  it.each([1, 2, 7])('of blocks ends with the first %i of them that come', (count) => {
    const { want, requests, answer, ends } = create()
    want(wantedBlocks, 2, 3, 4)
    const [{ to, request }] = requests() as [Request]
    expect(request).toEqual({ kind: 'blocks-request', number: request.number, fromHeight: 3, toHeight: 9 })
    const blocks = blocksAt(3, 2 + count)
    answer(to, blocksAnswer(request.number, blocks))
    expect(ends()).toEqual([{ wanted: wantedBlocks, from: to, result: { kind: 'decided', blocks } }])
  })

  it('begins with any of the servers, asks no member twice, and neither itself nor strangers', () => {
    const firsts = new Set<ReplicaId>()
    for (let seed = 0; seed < 40; seed++) {
      const { want, requests, answer, ends } = create(4, seed)
      want(wantedBlocks, 1, 2, 3, 3, 4, 5, 9)
      const asked: ReplicaId[] = []
      for (let [next] = requests(); next !== undefined; [next] = requests()) {
        asked.push(next.to)
        answer(next.to, blocksAnswer(next.request.number, []))
      }
      firsts.add(asked[0]!)
      expect(asked.toSorted()).toEqual([2, 3, 4, 5])
      expect(ends()).toMatchObject([{ from: asked.at(-1), result: { kind: 'failed' } }])
    }
    expect(firsts.size).toBe(4)
  })

  it('fails at once when there is nobody to ask', () => {
    const { want, requests, ends } = create()
    want(wantedPayload(), 1, 9)
    expect(requests()).toEqual([])
    expect(ends()).toMatchObject([{ result: { kind: 'failed', reason: 'there is nobody to ask' } }])
  })

  it('under way is not begun again: servers named later are asked too, and all of it ends once', () => {
    const { want, requests, answer, ends } = create()
    want(wantedPayload(), 2)
    want(wantedPayload(), 2, 3)
    const [first] = requests()
    answer(first!.to, payloadAnswer(first!.request.number, null))
    // Whoever has said that it lacks it is not asked over and over.
    want(wantedPayload(), 2, 3)
    const [second] = requests()
    expect([first!.to, second!.to]).toEqual([2, 3])
    answer(second!.to, payloadAnswer(second!.request.number, null))
    expect(ends()).toMatchObject([{ result: { kind: 'failed' } }])
    want(wantedPayload(), 2)
    expect(requests()).toHaveLength(1)
  })
})

describe('what is no answer', () => {
  const block = blockAt(3)
  const other = (change: Partial<typeof block.block.header>): DecidedBlock => ({
    ...block,
    block: { ...block.block, header: { ...block.block.header, ...change } },
  })
  const cases: [string, WantedHere, (number: number) => FetchAnswer][] = [
    ['another payload', wantedPayload(), (number) => payloadAnswer(number, payloadAt(6))],
    ['blocks for a payload', wantedPayload(), (number) => blocksAnswer(number, [blockAt(5)])],
    ['a payload for blocks', wantedBlocks, (number) => payloadAnswer(number, payloadAt(3))],
    ['a hole', wantedBlocks, (number) => blocksAnswer(number, [blockAt(3), blockAt(5)])],
    ['a block twice', wantedBlocks, (number) => blocksAnswer(number, [blockAt(3), blockAt(3)])],
    ['blocks out of order', wantedBlocks, (number) => blocksAnswer(number, [blockAt(4), blockAt(3)])],
    ['a later beginning', wantedBlocks, (number) => blocksAnswer(number, [blockAt(4)])],
    ['an earlier beginning', wantedBlocks, (number) => blocksAnswer(number, blocksAt(2, 4))],
    ['more than was asked for', wantedBlocks, (number) => blocksAnswer(number, blocksAt(3, 10))],
    ['a block of another epoch', wantedBlocks, (number) => blocksAnswer(number, [other({ epoch: 2 })])],
    [
      'a payload that its header does not name',
      wantedBlocks,
      (number) => blocksAnswer(number, [{ ...block, block: { ...block.block, payload: payloadAt(4) } }]),
    ],
    [
      'a proof that shows nothing, behind one that does',
      wantedBlocks,
      (number) => blocksAnswer(number, [block, { ...blockAt(4), proof: { kind: 'raft', term: 2, index: 4 } }]),
    ],
  ]

  it.each(cases)('%s: the next server is asked, and this one last from then on', (_what, wanted, lie) => {
    const { want, requests, answer, ends, notes, asked } = create()
    want(wanted, 2, 3, 4)
    const [first] = requests()
    answer(first!.to, lie(first!.request.number))
    expect(ends()).toEqual([])
    expect(notes).toEqual([expect.stringContaining(`fetch-server-lied ${first!.to}: `)])
    const [second] = requests()
    expect(second!.to).not.toBe(first!.to)
    const good = wanted.kind === 'payload' ? payloadAnswer(second!.request.number, payloadAt(5)) : null
    answer(second!.to, good ?? blocksAnswer(second!.request.number, blocksAt(3, 4)))
    expect(ends()).toMatchObject([{ from: second!.to, result: { kind: wanted.kind } }])
    for (let height = 20; height < 30; height++) {
      want(wantedPayload(height), 2, 3, 4)
      expect(asked()).not.toContain(first!.to)
    }
    want(wantedPayload(30), first!.to)
    expect(asked()).toEqual([first!.to])
  })

  it('no proof is looked at while something cheap is wrong', () => {
    const { want, requests, answer, verified } = create()
    want(wantedBlocks, 2)
    answer(id(2), blocksAnswer(requests()[0]!.request.number, [blockAt(3), blockAt(5)]))
    expect(verified()).toBe(0)
  })

  it('what nobody asked for is dropped, and so are a second answer and what does not decode', () => {
    const { want, requests, answer, receive, dropped, ends } = create()
    want(wantedPayload(), 2)
    const { number } = requests()[0]!.request
    answer(id(3), payloadAnswer(number, payloadAt(5)))
    answer(id(2), payloadAnswer(number + 1, payloadAt(5)))
    receive(id(2), Uint8Array.of(200))
    expect(ends()).toEqual([])
    answer(id(2), payloadAnswer(number, payloadAt(5)))
    answer(id(2), payloadAnswer(number, payloadAt(5)))
    expect(dropped).toEqual(['3 not asked', '2 not asked', '2 ERR_WIRE_TAG', '2 not asked'])
    expect(ends()).toHaveLength(1)
  })
})

describe('a silent server', () => {
  it('costs its time, then the next is asked; its late answer is taken all the same', () => {
    const { fetcher, want, wait, requests, answer, ends } = create()
    want(wantedPayload(), 2, 3)
    const [first] = requests()
    expect(fetcher.nextDueMs()).toBe(answerMsMin)
    wait(answerMsMin - 1)
    expect(requests()).toEqual([])
    wait(1)
    expect(requests()).toHaveLength(1)
    answer(first!.to, payloadAnswer(first!.request.number, payloadAt(5)))
    expect(ends()).toMatchObject([{ from: first!.to, result: { kind: 'payload' } }])
    expect(fetcher.nextDueMs()).toBeNull()
  })

  it('is asked last, and given more time with each silence in a row, up to a limit', () => {
    const { fetcher, want, wait, now, requests, asked, answer, ends } = create()
    const waits: number[] = []
    for (let round = 0; round < 5; round++) {
      want(wantedPayload(), 2)
      const dueMs = fetcher.nextDueMs()! - now()
      waits.push(dueMs)
      wait(dueMs)
      expect(ends()).toMatchObject([{ result: { kind: 'failed' } }])
    }
    expect(waits).toEqual([answerMsMin, 2000, 4000, answerMsMax, answerMsMax])
    requests()
    for (let height = 20; height < 30; height++) want(wantedPayload(height), 2, 3)
    expect(asked()).toEqual(Array.from({ length: 10 }, () => id(3)))
    want(wantedPayload(40), 2)
    answer(id(2), payloadAnswer(requests()[0]!.request.number, null))
    want(wantedPayload(41), 2)
    expect(fetcher.nextDueMs()! - now()).toBe(answerMsMin)
  })

  it('and all others silent too: it ends after the time of each', () => {
    const { want, wait, ends } = create()
    want(wantedBlocks, 2, 3, 4)
    wait(answerMsMin)
    wait(answerMsMin)
    expect(ends()).toEqual([])
    wait(answerMsMin)
    expect(ends()).toMatchObject([{ wanted: wantedBlocks, result: { kind: 'failed' } }])
  })
})

describe('the bounds of fetching', () => {
  it('so many things at one time: the oldest fails', () => {
    const { want, requests, ends } = create(31)
    const others = Array.from({ length: 30 }, (_, index) => index + 2)
    for (let height = 1; height <= fetchesMax; height++) want(wantedPayload(height), ...others)
    expect(ends()).toEqual([])
    want(wantedPayload(fetchesMax + 1), ...others)
    expect(ends()).toMatchObject([{ wanted: wantedPayload(1), result: { kind: 'failed' } }])
    expect(requests()).toHaveLength(fetchesMax + 1)
  })

  it('so many requests to one server: the rest waits until it has answered, or has been silent too long', () => {
    const { want, wait, requests, answer, ends } = create()
    const count = requestsAskedMax + 3
    for (let height = 1; height <= count; height++) want(wantedPayload(height), 2)
    const first = requests()
    expect(first).toHaveLength(requestsAskedMax)
    answer(id(2), payloadAnswer(first[0]!.request.number, payloadAt(1)))
    expect(requests()).toHaveLength(1)
    wait(answerMsMin)
    expect(requests()).toHaveLength(2)
    wait(2 * answerMsMax)
    expect(ends()).toHaveLength(count)
  })

  it('one answer costs so many signatures, if each voter had signed each block', () => {
    for (const voters of [4, 31, 127]) {
      const { want, requests } = create(voters)
      want({ kind: 'decided', fromHeight: 10, toHeight: 10_000 }, 2)
      const { toHeight } = requests()[0]!.request as FetchRequest & { kind: 'blocks-request' }
      const heights = toHeight - 9
      expect(heights).toBeLessThanOrEqual(blocksAnsweredMax)
      expect(heights * voters).toBeLessThanOrEqual(signaturesAskedMax)
      expect((heights + 1) * voters).toBeGreaterThan(signaturesAskedMax)
    }
    const { want, requests } = create(1)
    want({ kind: 'decided', fromHeight: 10, toHeight: 10_000 }, 2)
    expect(requests()[0]!.request).toMatchObject({ toHeight: 9 + blocksAnsweredMax })
  })

  it('an answer beyond what was asked for is a lie, though it is wanted', () => {
    const { want, requests, answer, notes } = create()
    want({ kind: 'decided', fromHeight: 1, toHeight: 10_000 }, 2)
    const asked = Math.floor(signaturesAskedMax / 4)
    answer(id(2), blocksAnswer(requests()[0]!.request.number, blocksAt(1, asked + 1)))
    expect(notes).toEqual(['fetch-server-lied 2: a block of another height'])
  })
})
