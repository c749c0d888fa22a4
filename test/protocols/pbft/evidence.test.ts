// Goal: evidence shows a lie, or it shows nothing. Method: for each kind of statement that a liar may make twice a true case, and then
// everything in it and around it changed, one thing at a time (B7, B45).

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../../src/wire/codec.ts'
import { signingDomains, type SigningDomain } from '../../../src/kernel/domains.ts'
import { evidenceCodec, type Evidence } from '../../../src/kernel/evidence.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../../../src/kernel/executed-header.ts'
import { replicaId, type ReplicaId } from '../../../src/kernel/ids.ts'
import { judgeEvidence } from '../../../src/kernel/judge-evidence.ts'
import type { Epoch } from '../../../src/kernel/membership.ts'
import { contradictionOf } from '../../../src/protocols/pbft/evidence.ts'
import { newViewBodyCodec, statementCodec, viewChangeBodyCodec } from '../../../src/protocols/pbft/messages.ts'
import { ports, SignedGroup } from './signed-group.ts'

const group = new SignedGroup(4, 1)
const liar = replicaId(2)
const definition = { name: 'pbft', contradiction: contradictionOf } as const
const digest = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const statement = { view: 3, height: 5, digest: digest(1) }
const vote = (change: object = {}): Uint8Array => encode(statementCodec, { ...statement, ...change })
const viewChange = (change: object = {}): Uint8Array =>
  encode(viewChangeBodyCodec, { view: 5, sender: liar, checkpoint: null, prepared: [], ...change })
const newView = (change: object = {}): Uint8Array =>
  encode(newViewBodyCodec, { view: 5, cited: [], prePrepares: [], ...change })
const executed = (change: Partial<ExecutedHeader> = {}): Uint8Array =>
  encode(executedHeaderCodec, group.executed(group.block(128).header, change))
const prepared = [group.certificate(group.block(5).header, 1)]
const checkpoint = group.checkpoint(group.block(4).header)

function evidence(domain: SigningDomain, first: Uint8Array, second: Uint8Array, by: ReplicaId = liar): Evidence {
  const signed = (body: Uint8Array) => ({ body, signature: group.sign(by, domain, body) })
  return {
    replica: by,
    protocol: 'pbft',
    epoch: 1,
    domainTag: signingDomains[domain],
    first: signed(first),
    second: signed(second),
  }
}

function judged(of: Evidence, epoch: Epoch = group.epoch): string {
  const verdict = judgeEvidence(of, epoch, definition, ports.verifier)
  return verdict.ok ? `about ${verdict.about}` : verdict.reason
}

/** Two statements that contradict each other, what they are about, and two that do not. */
const cases: [SigningDomain, Uint8Array, Uint8Array, string, Uint8Array[]][] = [
  ...(['pbft-pre-prepare', 'pbft-prepare', 'pbft-commit'] as const).map(
    (domain): [SigningDomain, Uint8Array, Uint8Array, string, Uint8Array[]] => [
      domain,
      vote(),
      vote({ digest: digest(2) }),
      'view 3, height 5',
      [vote({ view: 4, digest: digest(2) }), vote({ height: 6, digest: digest(2) })],
    ],
  ),
  ['pbft-view-change', viewChange(), viewChange({ prepared }), 'view 5', [viewChange({ view: 6, prepared })]],
  ['pbft-view-change', viewChange(), viewChange({ checkpoint }), 'view 5', [viewChange({ view: 6, checkpoint })]],
  [
    'pbft-new-view',
    newView(),
    newView({ cited: [{ sender: liar, digest: digest(1) }] }),
    'view 5',
    [newView({ view: 6 })],
  ],
  [
    'pbft-new-view',
    newView(),
    newView({ prePrepares: [digest(1)] }),
    'view 5',
    [newView({ view: 9, prePrepares: [digest(1)] })],
  ],
  [
    'checkpoint',
    executed(),
    executed({ stateRoot: digest(9) }),
    'height 128',
    [executed({ height: 256, stateRoot: digest(9) }), executed({ epoch: 2, stateRoot: digest(9) })],
  ],
]

describe.each(cases)('evidence in the domain %s', (domain, first, second, about, others) => {
  const sound = evidence(domain, first, second)

  it('shows the contradiction, in either order, and after it was stored', () => {
    expect(judged(sound)).toBe(`about ${about}`)
    expect(judged(evidence(domain, second, first))).toBe(`about ${about}`)
    const stored = decode(evidenceCodec, encode(evidenceCodec, sound))
    expect(stored.ok && judged(stored.value)).toBe(`about ${about}`)
  })

  it('is none where one replica may have said both', () => {
    for (const other of others) expect(judged(evidence(domain, first, other))).toBe('no contradiction')
  })

  it('is none where the same was said twice, also under another signature', () => {
    expect(judged(evidence(domain, first, first))).toBe('the same statement twice')
    expect(judged({ ...sound, second: { ...sound.first, signature: sound.second.signature } })).toBe(
      'the same statement twice',
    )
  })

  it('is refused when anything in it is changed', () => {
    const signatureChanged = (of: 'first' | 'second'): Evidence => {
      const signature = Uint8Array.from(sound[of].signature)
      signature[33]! ^= 4
      return { ...sound, [of]: { ...sound[of], signature } }
    }
    expect(judged(signatureChanged('first'))).toBe('a wrong signature')
    expect(judged(signatureChanged('second'))).toBe('a wrong signature')
    expect(judged({ ...sound, replica: replicaId(3) })).toBe('a wrong signature')
    expect(judged({ ...sound, replica: replicaId(5) })).toBe('not a voter')
    expect(judged({ ...sound, replica: replicaId(77) })).toBe('not a voter')
    expect(judged({ ...sound, epoch: 2 })).toBe('another epoch')
    expect(judged({ ...sound, protocol: 'hotstuff' })).toBe('another protocol')
    expect(judged({ ...sound, first: sound.second, second: sound.first })).toBe(`about ${about}`)
  })

  it('is refused when any bit of what was signed is changed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), fc.boolean(), (at, bit, isFirst) => {
        const of = isFirst ? 'first' : 'second'
        const body = Uint8Array.from(sound[of].body)
        body[at % body.length]! ^= 1 << bit
        expect(judged({ ...sound, [of]: { ...sound[of], body } })).not.toMatch(/^about/)
      }),
      { numRuns: 150 },
    )
  })

  it('is refused in every other domain', () => {
    for (const [name, tag] of Object.entries(signingDomains)) {
      if (name === domain) continue
      expect(judged({ ...sound, domainTag: tag })).toMatch(/^(no contradiction|a wrong signature)$/)
    }
    expect(judged({ ...sound, domainTag: 0xf0 })).toBe('no domain')
  })

  it('is refused in another network, epoch or protocol, and under another key (B45)', () => {
    expect(judged(sound, { ...group.epoch, network: digest(9) })).toBe('a wrong signature')
    expect(judged({ ...sound, epoch: 2 }, { ...group.epoch, number: 2 })).not.toMatch(/^about/)
    expect(judged(sound, { ...group.epoch, protocol: 'hotstuff' })).toBe('another protocol')
    const members = group.epoch.members.map((member) => ({ ...member, consensusKey: member.linkKey }))
    expect(judged(sound, { ...group.epoch, members })).toBe('a wrong signature')
  })

  it('needs the signatures of one replica under both', () => {
    const other = evidence(domain, first, second, replicaId(3))
    expect(judged({ ...sound, second: other.second })).toBe('a wrong signature')
  })
})

describe('evidence', () => {
  it('is none of statements that may be repeated, such as wishes', () => {
    expect(judged(evidence('wish', vote(), vote({ view: 4 })))).toBe('no contradiction')
    expect(judged(evidence('read-answer', vote(), vote({ digest: digest(2) })))).toBe('no contradiction')
  })

  it('of two checkpoints is a matter of all protocols', () => {
    const sound = evidence('checkpoint', executed(), executed({ time: 1 }))
    expect(judgeEvidence(sound, group.epoch, { name: 'pbft' }, ports.verifier)).toEqual({
      ok: true,
      about: 'height 128',
    })
    const votes = evidence('pbft-commit', vote(), vote({ digest: digest(2) }))
    expect(judgeEvidence(votes, group.epoch, { name: 'pbft' }, ports.verifier).ok).toBe(false)
  })

  it('of an epoch is not that of another, though a header names it', () => {
    const foreign = evidence('checkpoint', executed({ epoch: 2 }), executed({ epoch: 2, time: 1 }))
    expect(judged(foreign)).toBe('no contradiction')
  })

  it('is judged whatever bytes come', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.uint8Array(),
        fc.constantFrom(...Object.values(signingDomains)),
        (one, two, tag) => {
          const bytes = { first: { body: one, signature: two }, second: { body: two, signature: one } }
          const made: Evidence = { replica: liar, protocol: 'pbft', epoch: 1, domainTag: tag, ...bytes }
          expect(judged(made)).not.toMatch(/^about/)
        },
      ),
    )
  })
})
