// The core of a replica around a protocol that the test plays: what a turn takes on, and whose word is taken for whose.

import { describe, expect, it } from 'vitest'
import { payloadDigest } from '../../../src/kernel/block.ts'
import { clientRequestCodec, clientResponseCodec } from '../../../src/kernel/client-messages.ts'
import { publicKeyBytes } from '../../../src/kernel/crypto-ports.ts'
import { envelopeCodec, type Envelope } from '../../../src/kernel/envelope.ts'
import type { ExecutedHeader } from '../../../src/kernel/executed-header.ts'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { Member } from '../../../src/kernel/membership.ts'
import { defaultParameters, type EnvelopeSignatures } from '../../../src/kernel/parameters.ts'
import type { Effects, Input, Protocol, ProtocolDefinition, ProtocolOptions } from '../../../src/kernel/protocol.ts'
import type { RequestPool } from '../../../src/kernel/request-pool.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { checkpointMessageCodec } from '../../../src/replica/checkpoints/checkpoint-messages.ts'
import { fetchAnswerCodec, fetchRequestCodec } from '../../../src/replica/fetching/fetching-messages.ts'
import { answerMsMin } from '../../../src/replica/fetching/limits.ts'
import type { VerifyAhead } from '../../../src/replica/core/payload-checks.ts'
import { ReplicaCore } from '../../../src/replica/core/replica-core.ts'
import { channel, frameCodec, type HostChannel } from '../../../src/replica/driver/frame.ts'
import { decode, encode, u8 } from '../../../src/wire/codec.ts'
import { blockOf, clientKey, createExecutor, hasher, open, payloadOf } from '../../execution/fixtures.ts'
import { MemoryStore } from '../checkpoints/memory-store.ts'

const now = { monotonicMs: 1, wallMs: 1 }
const proof = { kind: 'raft', term: 1, index: 1 } as const

interface BenchOptions {
  intervalHeights?: number
  envelopeSignatures?: EnvelopeSignatures
  verifyAhead?: VerifyAhead
  /** What the protocol hands out. */
  held?: Partial<Pick<Protocol<number, number>, 'payload' | 'decided'>>
}

function bench({ intervalHeights = 1_000_000, envelopeSignatures = 'link', held = {}, ...rest }: BenchOptions = {}) {
  const inputs: Input<number, number>[] = []
  const headers: ExecutedHeader[] = []
  const executedHeights: number[] = []
  const failures: unknown[] = []
  const sent: { to: number; channel: number; body: Uint8Array }[] = []
  const responses: { to: number; kind: string }[] = []
  let next: (effects: Effects<number, number>) => void = () => {}
  let pooled = 0
  let stepping = false
  let verified = 0
  const step = (input: Input<number, number>, _: unknown, effects: Effects<number, number>): void => {
    if (input.kind === 'requests') pooled++
    inputs.push(input)
    if (stepping) throw new Error('a step within a step')
    stepping = true
    next(effects)
    next = () => {}
    stepping = false
  }
  const status = () => ({ leader: null, timers: [], awaited: [] })
  let pool: RequestPool | null = null
  const create = ({ ports }: ProtocolOptions) => {
    pool = ports.pool
    return { step, status, leadership: () => ({ view: 0, leader: null }), ...held }
  }
  const definition = {
    message: u8,
    logRecord: u8,
    create,
    verifyDecision: () => true,
  }
  const members = [1, 2, 3].map((id): Member => ({
    id: replicaId(id),
    name: `replica ${id}`,
    role: 'voter',
    consensusKey: new Uint8Array(publicKeyBytes).fill(id),
    linkKey: new Uint8Array(publicKeyBytes).fill(id),
    addresses: [],
    priority: 0,
  }))
  const core = new ReplicaCore<number, number>({
    definition: definition as unknown as ProtocolDefinition<number, number>,
    epoch: {
      network: new Uint8Array(32),
      number: 1,
      firstHeight: 1,
      protocol: 'raft',
      members,
      parameters: { ...defaultParameters(envelopeSignatures), checkpoints: { intervalHeights } },
    },
    self: replicaId(1),
    executor: createExecutor({ checkpoints: { intervalHeights } }),
    log: {
      bytes: 0,
      backedUp: false,
      append: () => 1,
      appendSoon: () => 1,
      flush: () => {},
      hurry: () => {},
      cut: (_, done) => done(),
      read: () => null,
    },
    snapshots: new MemoryStore(),
    links: {
      send: (to, bytes) => {
        const frame = decode(frameCodec, bytes)
        if (frame.ok)
          sent.push(...frame.value.items.map(({ channel: through, body }) => ({ to, channel: through, body })))
      },
    },
    timers: { arm: () => {}, disarm: () => {} },
    wake: () => {},
    clientKey: (connection) => (connection === 9 ? null : clientKey(connection)),
    report: () => new Uint8Array(0),
    respond: (to, bytes) => {
      const response = decode(clientResponseCodec, bytes)
      if (!response.ok) throw response.error
      responses.push({ to, kind: response.value.kind })
    },
    hasher,
    signer: { publicKey: new Uint8Array(publicKeyBytes), sign: () => new Uint8Array(64).fill(1) },
    verifier: { verify: (_key, _message, signature) => (verified++, signature[0] === 1) },
    ...rest,
    random: createRandom('core'),
    observer: {
      executed: ({ height }) => executedHeights.push(height),
      headerMade: (header) => headers.push(header),
      failed: (cause) => failures.push(cause),
    },
  })
  core.start({ incarnation: 1, records: [], checkpoint: null, abstains: false }, 0, now)
  return {
    core,
    executedHeights,
    failures,
    headers,
    pool: pool as unknown as RequestPool,
    /** Through this channel, since it was last asked. */
    sent: (through: HostChannel) => sent.splice(0).filter((item) => item.channel === through),
    /** Of one kind, since it was last asked. */
    inputs: <Kind extends Input<number, number>['kind']>(kind: Kind) =>
      inputs.splice(0).filter((input): input is Extract<Input<number, number>, { kind: Kind }> => input.kind === kind),
    receive: (from: number, through: HostChannel, body: Uint8Array): void =>
      core.peerFrame(replicaId(from), encode(frameCodec, { epoch: 1, items: [{ channel: through, body }] }), now),
    /** Signatures, since it was last asked. */
    verified: (): number => {
      const count = verified
      verified = 0
      return count
    },
    does: (todo: (effects: Effects<number, number>) => void): void => {
      next = todo
      core.timer('played', now)
    },
    forward: (from: number, ...envelopes: Envelope[]): void => {
      const items = [{ channel: channel.forward, body: payloadOf(envelopes) }]
      core.peerFrame(replicaId(from), encode(frameCodec, { epoch: 1, items }), now)
    },
    decide: (from: number, to: number): void => {
      next = (effects) => {
        for (let height = from; height <= to; height++) effects.decide(blockOf(height, []), proof)
      }
      core.timer('played', now)
    },
    submit: (connection: number, ...envelopes: Envelope[]): void => {
      const encoded = envelopes.map((envelope) => encode(envelopeCodec, envelope))
      core.clientFrame(connection, encode(clientRequestCodec, { kind: 'submit', envelopes: encoded }), now)
    },
    taken: () => responses.splice(0),
    /** How often the protocol has been told of requests. */
    told: (): number => {
      core.endTurn(now)
      return pooled
    },
  }
}

describe('a turn', () => {
  it('executes so many blocks and no more, and says that more are owed until the last is done', () => {
    const { core, executedHeights, failures, decide } = bench()
    decide(1, 150)
    const turns: [number, boolean][] = []
    for (let turn = 0; turn < 4; turn++) {
      const isOwed = core.endTurn(now)
      turns.push([executedHeights.length, isOwed])
    }
    expect(turns).toEqual([
      [64, true],
      [128, true],
      [150, false],
      [150, false],
    ])
    expect([executedHeights.at(-1), failures]).toEqual([150, []])
    // What comes while others wait has its turn behind them.
    decide(151, 300)
    core.endTurn(now)
    decide(301, 301)
    while (core.endTurn(now));
    expect(executedHeights).toEqual(Array.from({ length: 301 }, (_, index) => index + 1))
  })
})

describe('a request', () => {
  it('waits for no leader from the moment that its block is decided, before it is executed', () => {
    const { core, pool, submit, does, executedHeights } = bench()
    submit(7, open(7, 1))
    expect(pool.oldestWaitingSinceMs()).toBe(1)
    does((effects) => effects.decide(blockOf(1, [open(7, 1)]), proof))
    expect([pool.oldestWaitingSinceMs(), executedHeights]).toEqual([null, []])
    core.endTurn(now)
    expect([pool.oldestWaitingSinceMs(), executedHeights]).toEqual([null, [1]])
  })
})

describe('where the link vouches for envelopes', () => {
  it('it vouches for those of its own key, and for no others', () => {
    const { submit, taken, told } = bench()
    submit(7, open(7, 1))
    expect([taken(), told()]).toEqual([[], 1])
    // Another client's key, with nothing that shows that it is his.
    submit(7, open(8, 1))
    expect([taken(), told()]).toEqual([[{ to: 7, kind: 'refused' }], 1])
    submit(8, open(8, 1))
    expect([taken(), told()]).toEqual([[], 2])
    // Nobody's connection.
    submit(9, open(9, 1))
    expect([taken(), told()]).toEqual([[{ to: 9, kind: 'refused' }], 2])
  })

  it('is known by who handed it on, where its client waits for it; what a client brought was handed on by nobody', () => {
    const { pool, forward, submit } = bench()
    const limits = { operationsMax: 10, bytesMax: 10_000 }
    forward(3, open(7, 1))
    expect(pool.take(limits)!.forwardedBy).toEqual([3])
    submit(7, open(7, 2))
    expect(pool.take(limits)!.forwardedBy).toEqual([])
  })

  it('takes no signature that nobody would check', () => {
    const { submit, taken, told } = bench()
    submit(7, { ...open(7, 1), signature: new Uint8Array(64) })
    expect([taken(), told()]).toEqual([[{ to: 7, kind: 'refused' }], 0])
  })
})

describe('a checkpoint', () => {
  it('that a quorum has signed is told to the protocol, once and with rising heights', () => {
    const { core, headers, inputs, receive, decide } = bench({ intervalHeights: 2 })
    decide(1, 4)
    while (core.endTurn(now));
    const vote = (from: number, height: number): void => {
      const header = headers.find((one) => one.height === height)!
      const signature = new Uint8Array(64).fill(1)
      const body = encode(checkpointMessageCodec, { kind: 'vote', header, signature, repeated: false })
      receive(from, channel.checkpoint, body)
    }
    inputs('certified')
    vote(2, 4)
    vote(2, 2)
    vote(3, 4)
    core.endTurn(now)
    expect(inputs('certified').map(({ checkpoint }) => checkpoint.header)).toEqual([headers[3]])
  })
})

const signed = (client: number, nonce: number, good = true): Envelope => ({
  ...open(client, nonce),
  signature: new Uint8Array(64).fill(good ? 1 : 2),
})
const digestOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

describe('a payload that the protocol wants checked', () => {
  it('is answered once for each time, in their order, and never within the step that asked', () => {
    const { core, inputs, does } = bench({ envelopeSignatures: 'required' })
    does((effects) => {
      effects.validate(payloadOf([signed(1, 1)]), digestOf(1))
      effects.validate(payloadOf([signed(1, 2, false)]), digestOf(2))
      effects.validate(payloadOf([signed(1, 1)]), digestOf(1))
    })
    expect(inputs('validated')).toEqual([])
    expect(core.endTurn(now)).toBe(false)
    expect(inputs('validated').map(({ digest, ok }) => [digest[0], ok])).toEqual([
      [1, true],
      [2, false],
      [1, true],
    ])
    core.endTurn(now)
    expect(inputs('validated')).toEqual([])
  })

  it('and what others hand on wait for other threads, where there are any', () => {
    const asked: (() => void)[] = []
    const urgencies: string[] = []
    const { core, inputs, forward, does } = bench({
      envelopeSignatures: 'required',
      verifyAhead: (_signed, done, urgency) => {
        asked.push(done)
        urgencies.push(urgency)
      },
    })
    forward(2, signed(1, 1))
    does((effects) => effects.validate(payloadOf([signed(1, 2)]), digestOf(1)))
    core.endTurn(now)
    expect(inputs('requests')).toEqual([])
    // A proposal does not wait for what members and clients hand in.
    expect(urgencies).toEqual(['later', 'first'])
    asked[0]!()
    core.endTurn(now)
    expect(inputs('requests')).toHaveLength(1)
    asked[1]!()
    core.endTurn(now)
    expect(inputs('validated')).toMatchObject([{ ok: true }])
    // What is known by now waits for nobody.
    forward(3, signed(1, 2))
    core.endTurn(now)
    expect([asked.length, inputs('requests').length]).toEqual([2, 1])
  })

  it('costs no signature twice, whichever way its envelopes came', () => {
    const { core, verified, submit, forward, does } = bench({ envelopeSignatures: 'required' })
    const envelopes = [signed(1, 1), signed(1, 2), signed(1, 3)] as const
    const validate = (): void => does((effects) => effects.validate(payloadOf(envelopes), digestOf(1)))
    submit(1, envelopes[0])
    forward(2, envelopes[1])
    expect(verified()).toBe(2)
    validate()
    core.endTurn(now)
    expect(verified()).toBe(1)
    submit(1, envelopes[2])
    validate()
    core.endTurn(now)
    expect(verified()).toBe(0)
  })
})

describe('what the protocol wants from others', () => {
  const payload = Uint8Array.of(1, 2, 3)
  const digest = payloadDigest(hasher, payload)
  const wanted = { kind: 'payload', digest, height: 4 } as const

  it('is asked for, and told in a later step, even if there is nobody to ask', () => {
    const { core, does, inputs, sent, receive } = bench()
    does((effects) => {
      effects.fetch(wanted, [replicaId(2)])
      effects.fetch({ kind: 'decided', fromHeight: 1, toHeight: 2 }, [])
    })
    expect(inputs('fetched')).toEqual([])
    core.endTurn(now)
    expect(inputs('fetched')).toMatchObject([{ wanted: { kind: 'decided' }, result: { kind: 'failed' } }])
    const [asked] = sent(channel.blocks)
    const request = decode(fetchRequestCodec, asked!.body)
    const number = request.ok ? request.value.number : 0
    receive(2, channel.blocks, encode(fetchAnswerCodec, { kind: 'payload', number, payload }))
    core.endTurn(now)
    expect(inputs('fetched')).toEqual([{ kind: 'fetched', wanted, from: 2, result: { kind: 'payload', payload } }])
    expect(core.endTurn(now)).toBe(false)
  })

  it('ends by itself when nobody answers', () => {
    const { core, does, inputs } = bench()
    does((effects) => effects.fetch(wanted, [replicaId(2), replicaId(3)]))
    for (const monotonicMs of [1, answerMsMin + 1, 2 * answerMsMin + 1]) core.endTurn({ ...now, monotonicMs })
    expect(inputs('fetched')).toMatchObject([{ wanted, result: { kind: 'failed' } }])
  })
})

describe('what others want', () => {
  const request = encode(fetchRequestCodec, { kind: 'payload-request', number: 7, digest: digestOf(1) })
  const blocks = encode(fetchRequestCodec, { kind: 'blocks-request', number: 8, fromHeight: 1, toHeight: 9 })
  const answered = (items: readonly { body: Uint8Array }[]): unknown[] =>
    items.map(({ body }) => {
      const answer = decode(fetchAnswerCodec, body)
      return answer.ok ? answer.value : answer.error
    })

  it('is given as the protocol holds it', () => {
    const { core, sent, receive } = bench({
      held: {
        payload: (digest) => (digest[0] === 1 ? Uint8Array.of(5) : null),
        decided: (fromHeight) => [{ block: blockOf(fromHeight, []), proof }],
      },
    })
    receive(2, channel.blocks, request)
    receive(2, channel.blocks, blocks)
    core.endTurn(now)
    expect(answered(sent(channel.blocks))).toEqual([
      { kind: 'payload', number: 7, payload: Uint8Array.of(5) },
      { kind: 'blocks', number: 8, blocks: [{ block: blockOf(1, []), proof }] },
    ])
  })

  it('is nothing, where the protocol hands out nothing; what it throws is the replica’s end', () => {
    const { core, sent, receive } = bench()
    receive(2, channel.blocks, request)
    receive(2, channel.blocks, blocks)
    core.endTurn(now)
    expect(answered(sent(channel.blocks))).toEqual([
      { kind: 'payload', number: 7, payload: null },
      { kind: 'blocks', number: 8, blocks: [] },
    ])
    const broken = bench({
      held: {
        decided: () => {
          throw new Error('bug')
        },
      },
    })
    broken.receive(2, channel.blocks, blocks)
    broken.core.endTurn(now)
    expect([broken.failures, broken.sent(channel.blocks)]).toEqual([[new Error('bug')], []])
  })
})
