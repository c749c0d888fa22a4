// The pool is bounded, holds no request twice, keeps the order of arrival, and loses nothing that was not executed.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { payloadEnvelopesCodec } from '../../../src/kernel/block.ts'
import { envelopeCodec, type Envelope, type OperationsEnvelope } from '../../../src/kernel/envelope.ts'
import { replicaId, type ReplicaId } from '../../../src/kernel/ids.ts'
import { Pool, type PoolLimits } from '../../../src/replica/pool/request-pool.ts'
import { decode, encode } from '../../../src/wire/codec.ts'

const wide = { operationsMax: 1000, bytesMax: 1_000_000 }

function envelope(client: number, firstNumber: number, operations = 1): OperationsEnvelope {
  return {
    kind: 'operations',
    client: new Uint8Array(32).fill(client),
    session: { height: client, index: 0 },
    firstNumber,
    acknowledgedNumber: 0,
    operations: Array.from({ length: operations }, () => Uint8Array.of(firstNumber % 256)),
    signature: new Uint8Array(0),
  }
}

function add(pool: Pool, value: Envelope, nowMs = 0) {
  return pool.add(encode(envelopeCodec, value), value, nowMs)
}

function contents(payload: Uint8Array): OperationsEnvelope[] {
  const list = decode(payloadEnvelopesCodec, payload)
  if (!list.ok) throw list.error
  return list.value.map((encoded) => {
    const value = decode(envelopeCodec, encoded)
    if (!value.ok) throw value.error
    return value.value as OperationsEnvelope
  })
}

function create(limits?: Partial<PoolLimits>, forwarded: [number, number][] = []) {
  return new Pool({
    limits: { operationsMax: 100, bytesMax: 100_000, operationsPerClientMax: 50, ...limits },
    forward: (to, envelopes) => forwarded.push([to, envelopes.length]),
  })
}

describe('the request pool', () => {
  it('takes in order of arrival, within the limits of a batch', () => {
    const pool = create()
    for (let number = 1; number <= 5; number++) add(pool, envelope(1, number))
    const first = pool.take({ operationsMax: 3, bytesMax: 1_000_000 })
    expect(contents(first!.payload).map((one) => one.firstNumber)).toEqual([1, 2, 3])
    expect(first).toMatchObject({ envelopes: 3, operations: 3 })
    expect(contents(pool.take(wide)!.payload).map((one) => one.firstNumber)).toEqual([4, 5])
    expect(pool.take(wide)).toBeNull()
  })

  it('tells by whom the envelopes of a batch were handed on, each member once', () => {
    const pool = create()
    for (const [number, from] of [
      [1, 3],
      [2, null],
      [3, 2],
      [4, 3],
    ] as const) {
      const value = envelope(1, number)
      pool.add(encode(envelopeCodec, value), value, 0, { from: from as ReplicaId | null })
    }
    expect(pool.take({ operationsMax: 3, bytesMax: 1_000_000 })!.forwardedBy).toEqual([3, 2])
    expect(pool.take(wide)!.forwardedBy).toEqual([3])
  })

  it('makes a payload of its own for each batch, and no larger than it is', () => {
    const pool = create()
    const payloads = [1, 2, 3].map((number) => {
      add(pool, envelope(1, number))
      return pool.take(wide)!.payload
    })
    expect(new Set(payloads.map(({ buffer }) => buffer)).size).toBe(3)
    for (const payload of payloads) expect(payload.buffer.byteLength).toBe(payload.length)
    expect(payloads.map((payload) => contents(payload)[0]!.firstNumber)).toEqual([1, 2, 3])
  })

  it('after a restore, forgets what was executed in between and lets the rest wait again, in its old place', () => {
    const pool = create()
    for (let number = 1; number <= 6; number++) add(pool, envelope(1, number))
    pool.take({ operationsMax: 2, bytesMax: 1_000_000 })
    pool.proposed(
      encode(payloadEnvelopesCodec, [encode(envelopeCodec, envelope(1, 4)), encode(envelopeCodec, envelope(2, 9))]),
    )
    pool.restored((one) => one.kind === 'operations' && one.firstNumber <= 1)
    expect([pool.knownOperations, pool.waitingOperations]).toEqual([5, 5])
    // What a lost block held is no longer known as proposed: a copy is taken.
    add(pool, envelope(2, 9))
    expect(contents(pool.take(wide)!.payload).map((one) => one.firstNumber)).toEqual([2, 3, 4, 5, 6, 9])
  })

  it('takes one envelope that is larger than a batch, so that it cannot block the queue', () => {
    const pool = create()
    add(pool, envelope(1, 1, 10))
    expect(pool.take({ operationsMax: 3, bytesMax: 10 })).toMatchObject({ envelopes: 1, operations: 10 })
  })

  it('does not keep a large frame alive for a small envelope in it', () => {
    let kept = 0
    const pool = new Pool({ forward: (_to, envelopes) => (kept = envelopes[0]!.buffer.byteLength) })
    const encoded = encode(envelopeCodec, envelope(1, 1))
    const frame = new Uint8Array(1_000_000)
    frame.set(encoded, 500)
    pool.add(frame.subarray(500, 500 + encoded.length), envelope(1, 1), 0)
    pool.forward(replicaId(2))
    expect(kept).toBe(encoded.length)
  })

  it('knows a copy, also while the first is in a block', () => {
    const pool = create()
    expect(add(pool, envelope(1, 1))).toBe('added')
    expect(add(pool, envelope(1, 1))).toBe('known')
    pool.take(wide)
    expect(add(pool, envelope(1, 1))).toBe('known')
    pool.executed([envelope(1, 1)])
    expect(add(pool, envelope(1, 1))).toBe('added')
  })

  it('gives nobody the name of an envelope of somebody else', () => {
    const pool = create()
    const stolen = { ...envelope(1, 1), client: new Uint8Array(32).fill(9) }
    expect(add(pool, stolen)).toBe('added')
    expect(add(pool, envelope(1, 1))).toBe('added')
  })

  it('is bounded in operations, in bytes, and for each client', () => {
    const pool = create({ operationsMax: 3, operationsPerClientMax: 2 })
    expect(add(pool, envelope(1, 1, 2))).toBe('added')
    expect(add(pool, envelope(1, 3))).toBe('client-full')
    expect(add(pool, envelope(2, 1))).toBe('added')
    expect(add(pool, envelope(3, 1))).toBe('full')
    pool.executed([envelope(1, 1, 2)])
    expect(add(pool, envelope(3, 1))).toBe('added')
    const bytes = encode(envelopeCodec, envelope(1, 1)).length
    const small = create({ bytesMax: bytes })
    expect(add(small, envelope(1, 1))).toBe('added')
    expect(add(small, envelope(1, 2))).toBe('full')
  })

  it('puts a block back in its old place, without what was executed meanwhile', () => {
    const pool = create()
    for (let number = 1; number <= 4; number++) add(pool, envelope(1, number))
    const first = pool.take({ operationsMax: 2, bytesMax: 1_000_000 })!
    const second = pool.take({ operationsMax: 1, bytesMax: 1_000_000 })!
    pool.executed([envelope(1, 2)])
    pool.putBack(second.payload)
    pool.putBack(first.payload)
    expect(contents(pool.take(wide)!.payload).map((one) => one.firstNumber)).toEqual([1, 3, 4])
  })

  it('puts back nothing that it did not take, and survives a payload that is none', () => {
    const pool = create()
    const other = create()
    add(other, envelope(1, 1))
    pool.putBack(other.take(wide)!.payload)
    pool.putBack(Uint8Array.of(1, 2, 3))
    expect(pool.take(wide)).toBeNull()
    expect(pool.knownOperations).toBe(0)
  })

  it('forwards each waiting envelope once to one replica, and all again when asked', () => {
    const forwarded: [number, number][] = []
    const pool = create({}, forwarded)
    add(pool, envelope(1, 1))
    pool.forward(replicaId(2))
    add(pool, envelope(1, 2))
    pool.forward(replicaId(2))
    pool.forward(replicaId(3))
    pool.forward(replicaId(3))
    // Neither to the one before, though another one had it since, nor to this one.
    pool.forward(replicaId(2))
    pool.forwardAgain()
    pool.forward(replicaId(3))
    pool.forward(replicaId(2))
    expect(forwarded).toEqual([
      [2, 1],
      [2, 1],
      [3, 2],
      [3, 2],
      [2, 2],
    ])
  })

  it('forwards no more bytes than it is told, the oldest first', () => {
    const forwarded: [number, number][] = []
    const pool = create({}, forwarded)
    for (const number of [1, 2, 3]) add(pool, envelope(1, number))
    const bytes = encode(envelopeCodec, envelope(1, 1)).length
    pool.forward(replicaId(2), 2 * bytes)
    pool.forward(replicaId(2), 2 * bytes)
    pool.forward(replicaId(2), 2 * bytes)
    pool.forwardAgain(bytes)
    pool.forward(replicaId(2))
    expect(forwarded).toEqual([
      [2, 2],
      [2, 1],
      [2, 1],
    ])
  })

  it('forwards what its client has sent to all only when all is forwarded again', () => {
    const forwarded: [number, number][] = []
    const pool = create({}, forwarded)
    const value = envelope(1, 1)
    pool.add(encode(envelopeCodec, value), value, 0, { isSentToAll: true })
    pool.forward(replicaId(2))
    // Whoever took it and puts it back knows that the others have it still.
    pool.putBack(pool.take(wide)!.payload)
    pool.forward(replicaId(2))
    expect(forwarded).toEqual([])
    pool.forwardAgain()
    pool.forward(replicaId(2))
    expect(forwarded).toEqual([[2, 1]])
  })

  it('says since when the oldest request has waited for a decision, taken or not', () => {
    const pool = create()
    expect(pool.oldestWaitingSinceMs()).toBeNull()
    add(pool, envelope(1, 1), 10)
    add(pool, envelope(1, 2), 20)
    pool.take({ operationsMax: 1, bytesMax: 1_000_000 })
    expect(pool.oldestWaitingSinceMs()).toBe(10)
    pool.executed([envelope(1, 1)])
    expect(pool.oldestWaitingSinceMs()).toBe(20)
  })

  const payloadWith = (...numbers: number[]): Uint8Array =>
    encode(
      payloadEnvelopesCodec,
      numbers.map((number) => encode(envelopeCodec, envelope(1, number))),
    )

  it('holds what is decided against no leader: taken here, known here, or still to come', () => {
    const pool = create()
    for (let number = 1; number <= 3; number++) add(pool, envelope(1, number), 10 * number)
    pool.take({ operationsMax: 1, bytesMax: 1_000_000 })
    pool.decided(payloadWith(1, 2, 4))
    expect([pool.oldestWaitingSinceMs(), pool.waitingOperations]).toEqual([30, 1])
    pool.decided(payloadWith(3))
    expect([pool.oldestWaitingSinceMs(), pool.waitingOperations]).toEqual([null, 0])
    // A copy of what is decided waits for its execution, as the others do.
    expect(add(pool, envelope(1, 4), 40)).toBe('added')
    expect([pool.oldestWaitingSinceMs(), pool.waitingOperations, pool.knownOperations]).toEqual([null, 0, 4])
    add(pool, envelope(1, 5), 50)
    expect(pool.oldestWaitingSinceMs()).toBe(50)
    pool.executed([envelope(1, 1), envelope(1, 2), envelope(1, 4)])
    pool.executed([envelope(1, 3)])
    expect([pool.knownOperations, contents(pool.take(wide)!.payload).map((one) => one.firstNumber)]).toEqual([1, [5]])
  })

  it('looks into each decided block, those of the middle too, whatever was executed before', () => {
    const pool = create()
    for (let number = 1; number <= 4; number++) add(pool, envelope(1, number), 10 * number)
    pool.decided(payloadWith(1))
    expect(pool.oldestWaitingSinceMs()).toBe(20)
    pool.decided(payloadWith(2))
    pool.executed([envelope(1, 1)])
    expect(pool.oldestWaitingSinceMs()).toBe(30)
    pool.decided(payloadWith(3))
    pool.decided(payloadWith(4))
    pool.executed([envelope(1, 2)])
    pool.executed([envelope(1, 3)])
    expect(pool.oldestWaitingSinceMs()).toBeNull()
  })

  it('puts nothing back that a decided block holds too', () => {
    const pool = create()
    for (let number = 1; number <= 3; number++) add(pool, envelope(1, number), 10 * number)
    const displaced = pool.take(wide)!.payload
    pool.decided(payloadWith(1, 9))
    pool.putBack(displaced)
    expect(pool.waitingOperations).toBe(2)
    pool.putBack(payloadWith(9))
    add(pool, envelope(1, 9), 90)
    expect(pool.oldestWaitingSinceMs()).toBe(20)
    expect(contents(pool.take(wide)!.payload).map((one) => one.firstNumber)).toEqual([2, 3])
  })

  it('is the same for a backup, which takes nothing: what others propose and displace stays its own to hand on', () => {
    const forwarded: [number, number][] = []
    const pool = create({}, forwarded)
    for (let number = 1; number <= 3; number++) add(pool, envelope(1, number), 10 * number)
    pool.putBack(payloadWith(1, 2))
    expect([pool.waitingOperations, pool.oldestWaitingSinceMs()]).toEqual([3, 10])
    // It becomes primary, and builds on a block that is displaced in the view after its own.
    expect(pool.proposed(payloadWith(1, 2))).toBe(2)
    expect([pool.waitingOperations, pool.oldestWaitingSinceMs()]).toEqual([1, 10])
    pool.putBack(payloadWith(1, 2))
    expect([pool.waitingOperations, pool.oldestWaitingSinceMs()]).toEqual([3, 10])
    pool.decided(payloadWith(2))
    pool.oldestWaitingSinceMs()
    pool.forward(replicaId(2))
    expect(forwarded).toEqual([[2, 2]])
  })

  it('after a restore, counts what was decided in a block that is skipped, and not executed in it', () => {
    const pool = create()
    for (let number = 1; number <= 3; number++) add(pool, envelope(1, number), 10 * number)
    pool.decided(payloadWith(1, 2))
    expect(pool.oldestWaitingSinceMs()).toBe(30)
    pool.decided(payloadWith(3))
    pool.restored((one) => one.kind === 'operations' && one.firstNumber <= 1)
    expect([pool.oldestWaitingSinceMs(), pool.waitingOperations]).toEqual([20, 2])
    // It may be taken into a block that comes to nothing, as if it had never been in another.
    pool.putBack(pool.take(wide)!.payload)
    expect(pool.waitingOperations).toBe(2)
    pool.decided(payloadWith(2))
    expect(pool.oldestWaitingSinceMs()).toBe(30)
    expect(contents(pool.take(wide)!.payload).map((one) => one.firstNumber)).toEqual([3])
  })

  it('behaves as a list does, whatever is added, taken, executed and put back', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), number: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant('execute' as const), number: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ kind: fc.constant('putBack' as const) }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const pool = create()
        let model: { number: number; taken: boolean }[] = []
        const blocks: Uint8Array[] = []
        for (const step of actions) {
          if (step.kind === 'add') {
            const known = model.some((one) => one.number === step.number)
            expect(add(pool, envelope(1, step.number))).toBe(known ? 'known' : 'added')
            if (!known) model.push({ number: step.number, taken: false })
          } else if (step.kind === 'take') {
            const expected = model.filter((one) => !one.taken).slice(0, step.count)
            const batch = pool.take({ operationsMax: step.count, bytesMax: 1_000_000 })
            const numbers = batch === null ? [] : contents(batch.payload).map((one) => one.firstNumber)
            expect(numbers).toEqual(expected.map((one) => one.number))
            for (const one of expected) one.taken = true
            if (batch !== null) blocks.push(batch.payload)
          } else if (step.kind === 'execute') {
            pool.executed([envelope(1, step.number)])
            model = model.filter((one) => one.number !== step.number)
          } else {
            const block = blocks.shift()
            if (block === undefined) continue
            pool.putBack(block)
            const numbers = contents(block).map((one) => one.firstNumber)
            for (const one of model) if (numbers.includes(one.number)) one.taken = false
          }
          expect(pool.knownOperations).toBe(model.length)
          expect(pool.waitingOperations).toBe(model.filter((one) => !one.taken).length)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('does not grow at a follower, which never takes', () => {
    const pool = create({ operationsMax: 10 })
    for (let number = 1; number <= 20_000; number++) {
      expect(add(pool, envelope(1, number))).toBe('added')
      pool.executed([envelope(1, number)])
    }
    expect(pool.queueLength).toBeLessThanOrEqual(1024 + 2 * 10)
  })

  it('takes nothing that a block in flight holds, whoever proposed it, until it is put back or executed', () => {
    const leader = create()
    for (let number = 1; number <= 3; number++) add(leader, envelope(1, number))
    const block = leader.take(wide)!.payload
    const next = create()
    add(next, envelope(1, 1))
    next.proposed(block)
    // One copy was here before the block, one comes after it, one is in no block.
    add(next, envelope(1, 2))
    add(next, envelope(1, 4))
    expect(next.waitingOperations).toBe(1)
    expect(contents(next.take(wide)!.payload).map((one) => one.firstNumber)).toEqual([4])
    next.putBack(block)
    add(next, envelope(1, 3))
    expect(contents(next.take(wide)!.payload).map((one) => one.firstNumber)).toEqual([1, 2, 3])
    next.executed([1, 2, 3, 4].map((number) => envelope(1, number)))
    expect(next.knownOperations).toBe(0)
    expect(next.oldestWaitingSinceMs()).toBeNull()
  })
})
