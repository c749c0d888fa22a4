// The wire format of raft's messages and records: fixed by golden bytes, and strict.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../../src/wire/codec.ts'
import {
  describeMessage,
  messageEntriesMax,
  raftMessageCodec,
  supersededBy,
  termMax,
  type Entry,
  type RaftMessage,
} from '../../../src/protocols/raft/messages.ts'
import { raftRecordCodec, type RaftRecord } from '../../../src/protocols/raft/records.ts'
import { raft } from '../../../src/protocols/raft/raft.ts'
import { Bench, entryOf } from './bench.ts'

const header = { epoch: 1, height: 2, timestamp: 3, payloadDigest: new Uint8Array(32).fill(0xdd) }
const entry: Entry = { term: 4, block: { header, payload: Uint8Array.of(0, 0, 0, 0) } }
const proven = { term: 5, previousIndex: 1, previousTerm: 4, commit: 1, round: 6 }

const u = (value: number): string => value.toString(16).padStart(2, '0') + '00'.repeat(7)
const entryHex = `${u(4)}${u(1)}${u(2)}${u(3)}${'dd'.repeat(32)}0400000000000000`
const provenHex = u(5) + u(1) + u(4) + u(1) + u(6)

const messages: [RaftMessage, string][] = [
  [{ kind: 'vote-request', term: 5, preVote: true, lastIndex: 2, lastTerm: 4 }, `01${u(5)}01${u(2)}${u(4)}`],
  [{ kind: 'vote-answer', term: 5, preVote: false, granted: true }, `02${u(5)}0001`],
  [{ kind: 'append', ...proven, entries: [entry] }, `03${provenHex}01000000${entryHex}`],
  [{ kind: 'heartbeat', ...proven }, `04${provenHex}`],
  [{ kind: 'append-answer', term: 5, round: 6, matchIndex: 2 }, `05${u(5)}${u(6)}${u(2)}`],
  [{ kind: 'heartbeat-answer', term: 5, round: 6, matchIndex: 2 }, `06${u(5)}${u(6)}${u(2)}`],
  [
    { kind: 'rejection', term: 5, round: 6, rejectedIndex: 9, hintIndex: 2, hintTerm: 4 },
    `07${u(5)}${u(6)}${u(9)}${u(2)}${u(4)}`,
  ],
  [{ kind: 'timeout-now', term: 5, round: 6, lastIndex: 2 }, `0a${u(5)}${u(6)}${u(2)}`],
  [{ kind: 'transfer-vote-request', term: 5, lastIndex: 2, lastTerm: 4 }, `0b${u(5)}${u(2)}${u(4)}`],
]

const records: [RaftRecord, string][] = [
  [{ kind: 'hard-state', term: 5, votedFor: 3 }, `01${u(5)}0300`],
  [{ kind: 'entries', firstIndex: 2, entries: [entry] }, `02${u(2)}01000000${entryHex}`],
]

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

describe('golden bytes', () => {
  it.each(messages)('of a message: %j', (message, hex) => {
    expect(hexOf(encode(raftMessageCodec, message))).toBe(hex)
    expect(decode(raftMessageCodec, bytesOf(hex))).toEqual({ ok: true, value: message })
  })

  it.each(records)('of a record: %j', (record, hex) => {
    expect(hexOf(encode(raftRecordCodec, record))).toBe(hex)
    expect(decode(raftRecordCodec, bytesOf(hex))).toEqual({ ok: true, value: record })
  })
})

describe('the codecs', () => {
  it('refuse terms beyond the limit', () => {
    const message: RaftMessage = { kind: 'vote-answer', term: termMax + 1, preVote: false, granted: true }
    expect(() => encode(raftMessageCodec, message)).toThrow('above')
    const bytes = encode(raftMessageCodec, { ...message, term: termMax })
    bytes[1]! |= 1
    expect(decode(raftMessageCodec, bytes).ok).toBe(false)
  })

  it('refuse more entries than a message may hold', () => {
    const entries = Array.from({ length: messageEntriesMax + 1 }, () => entry)
    expect(() => encode(raftMessageCodec, { kind: 'append', ...proven, entries })).toThrow('at most 64')
    const bytes = encode(raftMessageCodec, { kind: 'append', ...proven, entries: entries.slice(1) })
    bytes[41] = messageEntriesMax + 1
    expect(decode(raftMessageCodec, bytes).ok).toBe(false)
  })

  it('read any bytes without a throw, and write back exactly what they read', () => {
    const tagged = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.uint8Array({ maxLength: 200 }))
    fc.assert(
      fc.property(tagged, ([tag, rest]) => {
        const bytes = Uint8Array.of(tag, ...rest)
        const message = decode(raftMessageCodec, bytes)
        if (message.ok) expect(encode(raftMessageCodec, message.value)).toEqual(bytes)
        const record = decode(raftRecordCodec, bytes)
        if (record.ok) expect(encode(raftRecordCodec, record.value)).toEqual(bytes)
      }),
    )
  })

  it('refuse every prefix, and every message with a byte behind it', () => {
    for (const [message] of messages) {
      const bytes = encode(raftMessageCodec, message)
      for (let length = 0; length < bytes.length; length++) {
        expect(decode(raftMessageCodec, bytes.slice(0, length)).ok).toBe(false)
      }
      expect(decode(raftMessageCodec, Uint8Array.of(...bytes, 0)).ok).toBe(false)
    }
  })

  it('give payloads as views: nothing is copied on the way in', () => {
    const bytes = encode(raftMessageCodec, { kind: 'append', ...proven, entries: [entryOf(4, 2, 'payload')] })
    const message = decode(raftMessageCodec, bytes)
    if (!message.ok || message.value.kind !== 'append') throw new Error('not an append')
    expect(message.value.entries[0]!.block.payload.buffer).toBe(bytes.buffer)
  })
})

describe('the definition', () => {
  it('tells the kinds of messages apart for people, and for those who count', () => {
    const words = messages.map(([message]) => describeMessage(message))
    expect(new Set(words).size).toBe(words.length)
    expect(words).toContain('append 1 behind 1:4, term 5, commit 1')
    expect(words).toContain('pre-vote request, term 5, log 2:4')
  })

  it('lets newer messages supersede only those that lose nothing by it', () => {
    expect(messages.map(([message]) => supersededBy(message))).toEqual([
      'vote-request',
      'vote-answer',
      null,
      'heartbeat',
      null,
      'heartbeat-answer',
      null,
      'timeout-now',
      'transfer-vote-request',
    ])
  })

  it('takes a proof for what a member says, and binds it to the height', () => {
    const bench = new Bench({ voters: 1 }).start()
    const [{ block, proof }] = bench.replica(1).decided as [
      { block: Entry['block']; proof: { kind: 'raft'; term: number; index: number } },
    ]
    const ports = { hasher: { digest: () => new Uint8Array(32) }, verifier: { verify: () => false } }
    const verify = (of: typeof proof): boolean => raft.verifyDecision({} as never, block.header, of, ports)
    expect(verify(proof)).toBe(true)
    expect(verify({ ...proof, index: 2 })).toBe(false)
  })
})
