// Goal: a checkpoint is certified exactly when a quorum of voters signed one header; what lies, lags or floods costs little and
// changes nothing. Method: collectors joined by a queue that a test may tamper with, and single collectors fed by hand.

import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../../src/wire/codec.ts'
import { blockDigest } from '../../../src/kernel/block.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import { signingDomains } from '../../../src/kernel/domains.ts'
import type { Evidence } from '../../../src/kernel/evidence.ts'
import type { ExecutedHeader } from '../../../src/kernel/executed-header.ts'
import { replicaId, type Height, type ReplicaId } from '../../../src/kernel/ids.ts'
import type { CertificateRules } from '../../../src/kernel/checkpoint-rules.ts'
import { checkpointMessageCodec, type CheckpointMessage } from '../../../src/replica/checkpoints/checkpoint-messages.ts'
import { CheckpointCollector } from '../../../src/replica/checkpoints/collector.ts'
import {
  checkpointMessageBytesMax,
  invalidMax,
  repeatMsMax,
  voteHeightsMax,
} from '../../../src/replica/checkpoints/limits.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { Group } from './group.ts'

const [one, two, three, four, five] = [1, 2, 3, 4, 5].map(replicaId) as [
  ReplicaId,
  ReplicaId,
  ReplicaId,
  ReplicaId,
  ReplicaId,
]
const retransmitMs = 250

/** One collector, and what came out of it. */
class Seat {
  readonly sent: { to: ReplicaId; message: CheckpointMessage }[] = []
  readonly said: CheckpointMessage[] = []
  readonly certified: Checkpoint[] = []
  readonly diverged: Height[] = []
  readonly accused: Evidence[] = []
  readonly dropped: string[] = []
  readonly rules: CertificateRules
  readonly collector: CheckpointCollector
  readonly #group: Group

  constructor(group: Group, self: ReplicaId, certified: readonly Checkpoint[] = []) {
    this.#group = group
    this.rules = group.rules()
    this.collector = new CheckpointCollector({
      self,
      rules: this.rules,
      signer: group.signer(self),
      certified,
      host: {
        send: (to, body) => this.sent.push({ to, message: message(body) }),
        broadcast: (body) => this.said.push(message(body)),
        certified: (checkpoint) => this.certified.push(checkpoint),
        diverged: (height) => this.diverged.push(height),
        accuse: (evidence) => this.accused.push(evidence),
        dropped: (_, reason) => this.dropped.push(reason),
      },
    })
  }

  makes(header: ExecutedHeader, nowMs = 0): void {
    const height = header.height
    this.collector.headerMade(header, this.#group.block(height), this.#group.proof(height), nowMs)
  }

  hears(from: ReplicaId, heard: CheckpointMessage, nowMs = 0): void {
    this.collector.message(from, encode(checkpointMessageCodec, heard), nowMs)
  }

  hearsVote(from: ReplicaId, header: ExecutedHeader, repeated = false, nowMs = 0): void {
    this.hears(from, { kind: 'vote', header, signature: this.#group.sign(from, header), repeated }, nowMs)
  }
}

function message(body: Uint8Array): CheckpointMessage {
  const decoded = decode(checkpointMessageCodec, body)
  if (!decoded.ok) throw decoded.error
  return decoded.value
}

function setting(options?: ConstructorParameters<typeof Group>[0]) {
  const group = new Group(options)
  return { group, header: group.header(128), seat: new Seat(group, one) }
}

const other = new Uint8Array(32).fill(0x66)
const wrong = new Uint8Array(64).fill(9)

describe('in the good case', () => {
  it.each([
    { protocol: 'raft', voters: 3, learners: 0, quorum: 2 },
    { protocol: 'pbft', voters: 4, learners: 0, quorum: 3 },
    { protocol: 'hotstuff', voters: 7, learners: 2, quorum: 5 },
  ] as const)('$voters voters of $protocol each sign once and tell all others once', ({ quorum, ...options }) => {
    const group = new Group(options)
    const seats = group.ids.map((id) => new Seat(group, id))
    const header = group.header(128)
    for (const seat of seats) seat.makes(header)
    for (const [index, from] of seats.entries()) {
      for (const to of seats) {
        if (to !== from) for (const said of from.said) to.hears(group.ids[index]!, said)
      }
    }
    const members = options.voters + options.learners
    for (const [index, seat] of seats.entries()) {
      const voter = index < options.voters
      expect(seat.certified.map((checkpoint) => checkpoint.header.height)).toEqual([128])
      expect(seat.collector.signed).toBe(voter ? 1 : 0)
      // Its own needs no check, and no more are checked than complete a quorum.
      expect(seat.rules.checked).toBe(voter ? quorum - 1 : quorum)
      expect(seat.said.length).toBe(voter ? 1 : 0)
      expect(seat.sent).toEqual([])
      expect(seat.collector.nextDueMs()).toBeNull()
      expect(group.rules().fault(seat.certified[0]!)).toBeNull()
    }
    const messages = seats.reduce((sum, seat) => sum + seat.said.length * (members - 1), 0)
    expect(messages).toBe(options.voters * (members - 1))
  })

  it('a replica alone certifies what it signs', () => {
    const { seat, header } = setting({ protocol: 'raft', voters: 1, learners: 0 })
    seat.makes(header)
    expect(seat.certified.length).toBe(1)
    expect(seat.collector.nextDueMs()).toBeNull()
  })

  it('votes that came before the header count when it is made', () => {
    const { seat, header } = setting()
    for (const from of [two, three]) seat.hearsVote(from, header)
    expect(seat.certified).toEqual([])
    expect(seat.rules.checked).toBe(0)
    seat.makes(header)
    expect(seat.certified.length).toBe(1)
    // The others may lack it.
    expect(seat.said.length).toBe(1)
  })

  it('is asked about only where it executed: no signature without a header of its own, none for a restored one', () => {
    const { group, seat, header } = setting()
    seat.collector.restored(group.checkpoint(header))
    expect(seat.collector.newest?.header).toEqual(header)
    expect([seat.said, seat.certified, seat.collector.signed]).toEqual([[], [], 0])
    expect(() => seat.makes({ ...header, stateRoot: null })).toThrow(RangeError)
    seat.makes(group.header(256))
    expect(seat.collector.signed).toBe(1)
  })
})

describe('a quorum', () => {
  it('is not two different headers together', () => {
    const { group, seat, header } = setting()
    seat.makes(header)
    seat.hearsVote(two, header)
    seat.hearsVote(three, group.header(128, other))
    expect(seat.certified).toEqual([])
    expect(seat.diverged).toEqual([])
    seat.hearsVote(four, header)
    expect(seat.certified[0]!.signatures.map(({ replica }) => replica)).toEqual([one, two, four])
  })

  it('counts no sender twice', () => {
    const { seat, header } = setting()
    seat.makes(header)
    for (let times = 0; times < 5; times++) seat.hearsVote(two, header, true)
    expect(seat.certified).toEqual([])
    expect(seat.rules.checked).toBe(0)
  })

  it('counts no learner, no stranger, and not oneself from outside', () => {
    const { group, seat, header } = setting({ protocol: 'pbft', voters: 4, learners: 1 })
    seat.makes(header)
    seat.hearsVote(two, header)
    seat.hearsVote(five, header)
    seat.hears(replicaId(77), { kind: 'vote', header, signature: wrong, repeated: false })
    seat.hears(one, { kind: 'vote', header, signature: group.sign(one, header), repeated: false })
    expect(seat.certified).toEqual([])
    expect(seat.dropped).toEqual(['not a voter', 'not a member', 'not a member'])
  })

  it('drops a wrong signature when it counts, and checks its sender at once from then on', () => {
    const { group, seat, header } = setting()
    seat.makes(header)
    seat.hears(two, { kind: 'vote', header, signature: wrong, repeated: false })
    seat.hearsVote(three, header)
    expect(seat.certified).toEqual([])
    expect(seat.rules.checked).toBe(2)
    seat.hears(two, { kind: 'vote', header: group.header(256), signature: wrong, repeated: false })
    expect(seat.rules.checked).toBe(3)
    expect(seat.dropped).toEqual(['wrong signature'])
    seat.hearsVote(four, header)
    expect(seat.certified[0]!.signatures.map(({ replica }) => replica)).toEqual([one, three, four])
  })

  it('takes the right vote of one whose first was wrong', () => {
    const { seat, header } = setting()
    seat.makes(header)
    seat.hears(two, { kind: 'vote', header, signature: wrong, repeated: false })
    seat.hearsVote(two, header)
    seat.hearsVote(three, header)
    expect(seat.certified.length).toBe(1)
  })

  it('of another epoch or without a state root is none', () => {
    const { group, seat, header } = setting()
    seat.makes(header)
    for (const from of [two, three, four]) {
      seat.hearsVote(from, { ...header, epoch: 2 })
      seat.hearsVote(from, { ...group.header(129), stateRoot: null })
    }
    expect(seat.dropped.length).toBe(6)
    expect(seat.certified).toEqual([])
  })

  it('whose signatures were made for another network, epoch or protocol is none', () => {
    for (const change of [{ network: new Uint8Array(32) }, { number: 2 }, { protocol: 'hotstuff' }] as const) {
      const { group, seat, header } = setting()
      seat.makes(header)
      const foreign = group.rules({ ...group.epoch, ...change })
      for (const from of [two, three, four]) {
        const signature = group.signer(from).sign(foreign.signingBytes(foreign.body(header)))
        seat.hears(from, { kind: 'vote', header, signature, repeated: false })
      }
      expect(seat.certified).toEqual([])
    }
  })
})

describe('what is kept of one sender', () => {
  /** One more than are kept. */
  const heights = Array.from({ length: voteHeightsMax + 1 }, (_, index) => 128 * (index + 1))

  it('is so many heights, the highest', () => {
    const { group, seat } = setting()
    for (const height of heights) seat.hearsVote(two, group.header(height))
    seat.hearsVote(two, group.header(128))
    expect(seat.dropped).toEqual(['too low'])
    for (const height of heights) seat.hearsVote(three, group.header(height))
    seat.makes(group.header(128))
    expect(seat.certified).toEqual([])
    seat.makes(group.header(256))
    expect(seat.certified.map(({ header }) => header.height)).toEqual([256])
  })

  it('and of oneself too: what was made below these is certified by others', () => {
    const { group, seat } = setting()
    for (const height of heights) seat.makes(group.header(height))
    for (const from of [two, three, four]) seat.hearsVote(from, group.header(128))
    expect(seat.certified).toEqual([])
    for (const from of [two, three]) seat.hearsVote(from, group.header(256))
    expect(seat.certified.length).toBe(1)
  })

  it('is enough for a quorum of which one is always behind by several checkpoints', () => {
    const group = new Group({ protocol: 'raft', voters: 3, learners: 0 })
    const [ahead, behind] = [new Seat(group, one), new Seat(group, two)]
    const lag = 5 * 128
    for (let height = 128; height <= 40 * 128; height += 128) {
      ahead.makes(group.header(height))
      for (const said of ahead.said.splice(0)) behind.hears(one, said)
      if (height <= lag) continue
      behind.makes(group.header(height - lag))
      for (const said of behind.said.splice(0)) ahead.hears(two, said)
    }
    expect([ahead.certified.length, behind.certified.length]).toEqual([35, 35])
  })

  it('does not displace what others said', () => {
    const { group, seat, header } = setting()
    seat.hearsVote(two, header)
    seat.hearsVote(three, header)
    for (let height = 1000; height < 1100; height++) seat.hearsVote(four, group.header(height))
    seat.makes(header)
    expect(seat.certified.length).toBe(1)
  })

  it('is nothing after eight wrong signatures, until the next checkpoint', () => {
    const { group, seat, header } = setting()
    seat.makes(header)
    for (let times = 0; times < 100; times++) {
      const signature = Uint8Array.from(wrong).fill(times, 0, 1)
      seat.hears(four, { kind: 'vote', header: group.header(128 + (times % 2) * 128), signature, repeated: false })
    }
    expect(seat.rules.checked).toBe(invalidMax)
    seat.hearsVote(four, header)
    expect(seat.dropped.at(-1)).toBe('muted')
    seat.hearsVote(two, header)
    seat.hearsVote(three, header)
    expect(seat.certified.length).toBe(1)
    seat.makes(group.header(256))
    seat.hearsVote(four, group.header(256))
    seat.hearsVote(two, group.header(256))
    expect(seat.certified.length).toBe(2)
  })

  it('is no message that is malformed or too large', () => {
    const { seat } = setting()
    seat.collector.message(two, Uint8Array.of(9, 9), 0)
    seat.collector.message(two, new Uint8Array(checkpointMessageBytesMax + 1), 0)
    expect(seat.dropped).toEqual(['ERR_WIRE_TAG', 'too large'])
  })

  it('is no part of the frame that it came in', () => {
    const { group, seat, header } = setting()
    seat.makes(header)
    for (const from of [two, three]) {
      const vote: CheckpointMessage = { kind: 'vote', header, signature: group.sign(from, header), repeated: false }
      const body = encode(checkpointMessageCodec, vote)
      seat.collector.message(from, body, 0)
      body.fill(0)
    }
    expect(group.rules().fault(seat.certified[0]!)).toBeNull()
  })
})

describe('a sender of two headers at one height', () => {
  it('is accused once, with what anyone can check', () => {
    const { group, seat, header } = setting()
    seat.hearsVote(two, header)
    seat.hearsVote(two, group.header(128, other))
    seat.hearsVote(two, group.header(128, new Uint8Array(32).fill(0x67)))
    expect(seat.accused.length).toBe(1)
    const [{ first, second, replica, domainTag }] = seat.accused as [Evidence]
    expect([replica, domainTag]).toEqual([two, signingDomains.checkpoint])
    const rules = group.rules()
    expect(first.body).not.toEqual(second.body)
    for (const { body, signature } of [first, second]) expect(rules.verify(two, body, signature)).toBe(true)
  })

  it.each([
    ['first', 0],
    ['second', 1],
  ] as const)('is not accused when its %s signature is wrong', (_, spoiled) => {
    const { group, seat, header } = setting()
    const headers = [header, group.header(128, other)]
    for (const [index, voted] of headers.entries()) {
      const signature = index === spoiled ? wrong : group.sign(two, voted)
      seat.hears(two, { kind: 'vote', header: voted, signature, repeated: false })
    }
    expect(seat.accused).toEqual([])
    // The right one counts.
    seat.hearsVote(three, headers[1 - spoiled]!)
    seat.makes(headers[1 - spoiled]!)
    expect(seat.certified.length).toBe(1)
  })
})

describe('a replica without a quorum', () => {
  it('repeats its newest vote, later each time up to a cap', () => {
    const { group, seat, header } = setting()
    seat.makes(header)
    const pauses: number[] = []
    for (let times = 0, nowMs = 0; times < 9; times++) {
      const dueMs = seat.collector.nextDueMs()!
      seat.collector.tick(dueMs - 1)
      pauses.push(dueMs - nowMs)
      nowMs = dueMs
      seat.collector.tick(nowMs)
    }
    expect(pauses).toEqual([retransmitMs, 500, 1000, 2000, 4000, 8000, repeatMsMax, repeatMsMax, repeatMsMax])
    expect(seat.said.length).toBe(10)
    expect(seat.said.slice(1).every((said) => said.kind === 'vote' && said.repeated)).toBe(true)
    expect(seat.collector.signed).toBe(1)
    seat.makes(group.header(256))
    seat.collector.tick(1_000_000)
    const last = seat.said.at(-1)!
    expect(last.kind === 'vote' && last.header.height).toBe(256)
    expect(seat.collector.awaited()).toEqual({
      what: 'checkpoint 256',
      quorum: 3,
      have: [one],
      missing: [two, three, four],
    })
  })

  it('that is a learner asks one voter after the other', () => {
    const group = new Group({ protocol: 'pbft', voters: 4, learners: 1 })
    const seat = new Seat(group, five)
    seat.makes(group.header(128))
    for (let times = 0; times < 4; times++) seat.collector.tick(seat.collector.nextDueMs()!)
    expect(seat.sent.map(({ to, message: sent }) => [to, sent.kind])).toEqual(
      [one, two, three, four].map((id) => [id, 'ask']),
    )
  })

  it('gets the certificate from whoever has it, and rests', () => {
    const { group, seat, header } = setting()
    const lagging = new Seat(group, four)
    lagging.makes(header)
    seat.makes(header)
    for (const from of [two, three]) seat.hearsVote(from, header)
    // Its first vote is late as any may be; the repeated one asks.
    seat.hears(four, lagging.said[0]!)
    expect(seat.sent).toEqual([])
    lagging.collector.tick(retransmitMs)
    seat.hears(four, lagging.said[1]!, retransmitMs)
    expect(seat.sent.map(({ to }) => to)).toEqual([four])
    lagging.hears(one, seat.sent[0]!.message)
    expect(lagging.certified.length).toBe(1)
    expect(lagging.collector.nextDueMs()).toBeNull()
  })

  it('gets it again only after a while, however often it asks', () => {
    const { group, seat, header } = setting()
    seat.collector.restored(group.checkpoint(header))
    for (let times = 0; times < 50; times++) {
      seat.hears(four, { kind: 'ask', height: 128 }, times)
      seat.hearsVote(four, header, true, times)
    }
    expect(seat.sent.length).toBe(1)
    seat.hears(four, { kind: 'ask', height: 128 }, retransmitMs)
    seat.hears(four, { kind: 'ask', height: 129 }, 10 * retransmitMs)
    expect(seat.sent.length).toBe(2)
  })

  it('gets the newest when it votes below', () => {
    const { group, seat } = setting()
    seat.collector.restored(group.checkpoint(group.header(256)))
    seat.hearsVote(four, group.header(128))
    const sent = seat.sent[0]!.message
    expect(sent.kind === 'certificate' && sent.checkpoint.header.height).toBe(256)
  })
})

describe('a certificate of another', () => {
  const spoiled: [string, (group: Group, checkpoint: Checkpoint) => Checkpoint][] = [
    ['has too few signatures', (_, given) => ({ ...given, signatures: given.signatures.slice(1) })],
    [
      'has a wrong signature',
      (_, given) => ({ ...given, signatures: [...given.signatures.slice(1), { replica: four, signature: wrong }] }),
    ],
    ['has a signature of a learner', (group, given) => group.checkpoint(given.header, [one, two, five])],
    ['is of another epoch', (group, given) => group.checkpoint({ ...given.header, epoch: 2 })],
    [
      'is of another epoch, as its block is',
      (group, given) => {
        const block = { ...given.block, epoch: 2 }
        const header = { ...given.header, epoch: 2, blockDigest: blockDigest(simulatedHasher, block) }
        return { ...group.checkpoint(header), block }
      },
    ],
    ['has no state root', (group, given) => group.checkpoint({ ...given.header, stateRoot: null })],
    ['has another block', (_, given) => ({ ...given, block: { ...given.block, timestamp: 1 } })],
    ['has the block of another height', (group, given) => ({ ...given, block: group.block(384) })],
    [
      'has the block of another height, though a quorum signed that',
      (group, given) => ({
        ...group.checkpoint({ ...given.header, blockDigest: group.header(384).blockDigest, time: 9999 }),
        block: group.block(384),
        proof: group.proof(384),
      }),
    ],
    ['is older than its block', (group, given) => group.checkpoint({ ...given.header, time: 1 })],
    ['has a block that was not decided', (group, given) => ({ ...given, proof: group.proof(384) })],
    ['has a header that nobody signed', (group, given) => ({ ...given, header: group.header(256, other) })],
  ]

  it.each(spoiled)('is refused when it %s', (_, spoil) => {
    const { group, seat } = setting({ protocol: 'pbft', voters: 4, learners: 1 })
    const checkpoint = group.checkpoint(group.header(256))
    seat.hears(two, { kind: 'certificate', checkpoint: spoil(group, checkpoint) })
    expect(seat.dropped.length).toBe(1)
    expect(seat.collector.newest).toBeNull()
    seat.hears(two, { kind: 'certificate', checkpoint })
    expect(seat.certified).toEqual([checkpoint])
  })

  it('is refused with one signer twice, or more signers than there are voters', () => {
    const { group } = setting({ protocol: 'pbft', voters: 4, learners: 1 })
    const checkpoint = group.checkpoint(group.header(256))
    const [first, second] = checkpoint.signatures
    const twice = { ...checkpoint, signatures: [first!, first!, second!] }
    expect(group.rules().fault(twice)).toBe('one signer twice')
    const many = group.checkpoint(group.header(256), [one, two, three, four, five])
    expect(group.rules().fault(many)).toBe('more signatures than voters')
  })

  it('is checked eight times in vain, and then not any more', () => {
    const { group, seat } = setting()
    const checkpoint = group.checkpoint(group.header(256))
    const lie = { ...checkpoint, proof: group.proof(1) }
    for (let times = 0; times < 20; times++) seat.hears(two, { kind: 'certificate', checkpoint: lie })
    expect(seat.rules.checked).toBe(3 * invalidMax)
    seat.hears(three, { kind: 'certificate', checkpoint })
    expect(seat.certified.length).toBe(1)
  })

  it('is not looked at when it is no news', () => {
    const { group, seat } = setting()
    seat.collector.restored(group.checkpoint(group.header(256)))
    for (const height of [128, 256])
      seat.hears(two, { kind: 'certificate', checkpoint: group.checkpoint(group.header(height)) })
    expect(seat.rules.checked).toBe(0)
    expect(seat.certified).toEqual([])
  })

  it('is kept with the one before, and found by its height', () => {
    const { group, seat } = setting()
    for (const height of [128, 256, 384])
      seat.hears(two, { kind: 'certificate', checkpoint: group.checkpoint(group.header(height)) })
    expect([128, 256, 384].map((height) => seat.collector.certificateAt(height)?.header.height)).toEqual([
      undefined,
      256,
      384,
    ])
    // What was certified meanwhile asks for no vote.
    seat.makes(group.header(128))
    seat.makes(group.header(384))
    expect([seat.said, seat.diverged]).toEqual([[], []])
  })
})

describe('a replica whose header is not the certified one', () => {
  it('has diverged when a quorum votes for another', () => {
    const { group, seat, header } = setting()
    seat.makes(group.header(128, other))
    for (const from of [two, three]) seat.hearsVote(from, header)
    expect(seat.diverged).toEqual([])
    seat.hearsVote(four, header)
    expect(seat.diverged).toEqual([128])
    expect(seat.certified).toEqual([])
  })

  it('has not diverged when the quorum has a wrong signature', () => {
    const { group, seat, header } = setting()
    seat.makes(group.header(128, other))
    for (const from of [two, three]) seat.hearsVote(from, header)
    seat.hears(four, { kind: 'vote', header, signature: wrong, repeated: false })
    expect(seat.diverged).toEqual([])
  })

  it('has diverged when a state is restored that it executed otherwise', () => {
    const { group, seat, header } = setting()
    seat.makes(group.header(128, other))
    seat.collector.restored(group.checkpoint(header))
    expect(seat.diverged).toEqual([128])
  })

  it.each(['before', 'after'])('has diverged when a certificate says so that came %s', (when) => {
    const { group, seat, header } = setting()
    if (when === 'after') seat.makes(group.header(128, other))
    seat.hears(two, { kind: 'certificate', checkpoint: group.checkpoint(header) })
    if (when === 'before') seat.makes(group.header(128, other))
    expect(seat.diverged).toEqual([128])
  })

  it('says nothing more', () => {
    const { group, seat, header } = setting()
    seat.makes(group.header(128, other))
    seat.hears(two, { kind: 'certificate', checkpoint: group.checkpoint(header) })
    seat.makes(group.header(256, other))
    seat.hearsVote(two, group.header(128), true, 5000)
    expect(seat.said.length).toBe(1)
    expect(seat.sent).toEqual([])
    expect(seat.collector.nextDueMs()).toBeNull()
  })
})
