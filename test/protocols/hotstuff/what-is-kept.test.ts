// What stays of a message when it has been taken in: its own bytes, and not the frame that they came in.

import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../../src/wire/codec.ts'
import type { QuorumCertificate } from '../../../src/kernel/proof.ts'
import { membershipOf } from '../../../src/kernel/membership.ts'
import { VerifiedCertificates } from '../../../src/protocols/hotstuff/certificates.ts'
import { hotstuffMessageCodec, type HotstuffMessage } from '../../../src/protocols/hotstuff/messages.ts'
import { scopeOf } from '../../../src/protocols/hotstuff/statements.ts'
import { timeoutMs } from './bench.ts'
import { certificateOf, genesisOf, proposalOf, timeoutOf, timeoutsOf, voteOf } from './forging.ts'
import { Lone } from './lone.ts'

const frameBytes = 1024 * 1024

/** As a link hands it on: its bytes lie in a frame with a good deal beside it. */
function inItsFrame<Message extends HotstuffMessage>(message: Message): Message {
  const encoded = encode(hotstuffMessageCodec, message)
  const frame = new Uint8Array(frameBytes)
  frame.set(encoded)
  const decoded = decode(hotstuffMessageCodec, frame.subarray(0, encoded.length))
  if (!decoded.ok) throw new Error('it does not decode')
  return decoded.value as Message
}

/** Of the largest buffer that is alive because of it. */
function bytesKeptBy(value: unknown): number {
  if (value instanceof Uint8Array) return value.buffer.byteLength
  if (value === null || typeof value !== 'object') return 0
  return Math.max(0, ...Object.values(value).map(bytesKeptBy))
}

describe('the frame that it came in is kept by no', () => {
  it('certificate that is remembered, or carried by a node', () => {
    const { world } = new Lone()
    const by = { scope: scopeOf(world.epoch), membership: membershipOf(world.epoch), ports: { verifier: world.suite } }
    const proposal = proposalOf(world, 1, 1, 'a')
    const framed = (signers: readonly number[]): QuorumCertificate =>
      inItsFrame({ kind: 'newest', certificate: certificateOf(world, proposal, signers), timeouts: null }).certificate
    const certificates = new VerifiedCertificates(by)
    expect(bytesKeptBy(certificates.genuine(framed([2, 3, 4])))).toBeLessThan(frameBytes)
    expect(bytesKeptBy(certificates.genuineOfSigners(framed([1, 2, 3])))).toBeLessThan(frameBytes)
    expect(bytesKeptBy(certificates.find(1, framed([2, 3, 4]).node))).toBeLessThan(frameBytes)
  })

  it('proposal, with the reason for its view', () => {
    const lone = new Lone()
    const { world } = lone
    const below = proposalOf(world, 1, 1, 'a')
    lone.hear(2, inItsFrame(below))
    const next = proposalOf(world, 5, 2, 'b', certificateOf(world, below), timeoutsOf(world, 4, 1))
    lone.hear(2, inItsFrame(next))
    expect(lone.voted).toEqual([1, 5])
    for (const node of lone.one.disk) expect(bytesKeptBy(node.record)).toBeLessThan(frameBytes)
  })

  it('vote, and no certificate that is made of votes', () => {
    const lone = new Lone()
    const { world } = lone
    const first = proposalOf(world, 1, 1, 'a')
    lone.hear(2, first)
    const second = proposalOf(world, 2, 2, 'b', certificateOf(world, first))
    const third = proposalOf(world, 3, 3, 'c', certificateOf(world, second))
    lone.hear(2, second, third)
    lone.one.propose('x')
    for (const id of [2, 3]) lone.hear(id, inItsFrame(voteOf(world, id, third)))
    expect(lone.noted('certified-node')).toBe(1)
    const own = lone.one.disk.at(-1)!.record
    expect(own).toMatchObject({ kind: 'voted', proposal: { view: 4, justify: { view: 3 } } })
    expect(bytesKeptBy(own)).toBeLessThan(frameBytes)
  })

  it('timeout, and no certificate that is made of timeouts', () => {
    const lone = new Lone()
    lone.one.propose('x')
    lone.world.elapse(timeoutMs)
    for (const id of [2, 3]) lone.hear(id, inItsFrame(timeoutOf(lone.world, id, 1)))
    expect(lone.one.status.view).toBe(2)
    const kept = lone.one.disk.filter(({ record }) => record.kind === 'timeouts')
    expect(kept).toHaveLength(1)
    expect(bytesKeptBy(kept[0]!.record)).toBeLessThan(frameBytes)
  })

  it('reason for a view that is told', () => {
    const lone = new Lone()
    const timeouts = timeoutsOf(lone.world, 3, 0)
    lone.hear(2, inItsFrame({ kind: 'newest', certificate: genesisOf(lone.world), timeouts }))
    expect(lone.one.status.view).toBe(4)
    for (const { record } of lone.one.disk) expect(bytesKeptBy(record)).toBeLessThan(frameBytes)
  })
})
