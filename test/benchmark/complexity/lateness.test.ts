// What slower and faster processes may make of a block's costs, and what they may not.

import { describe, expect, it } from 'vitest'
import { isEqual, reasonFor, type Counted } from '../../../src/benchmark/complexity/lateness.ts'
import { contenders } from '../../../src/benchmark/contenders.ts'

const [raft, pbft, hotstuff] = contenders
const simulated = { messages: 12, bytes: 5000, signaturesMade: 8, signaturesChecked: 40, apart: {} }
const n = 7

function lone(contender: typeof raft, name: Counted, more: number, apart = {}): string | null {
  const measured = { ...simulated, apart, [name]: simulated[name] + more }
  return reasonFor(contender!, n, name, { measured, simulated, emptyShare: null })
}

describe('a count that differs', () => {
  it('has no reason in raft', () => {
    for (const name of ['messages', 'bytes', 'signaturesMade', 'signaturesChecked'] as const) {
      expect(lone(raft, name, 1)).toBe(null)
    }
  })

  it('pbft: commits of others that each replica checks, one more at most', () => {
    const block = { ...simulated, messages: 84 }
    const reason = (name: Counted, more: number, emptyShare: number | null = null): string | null =>
      reasonFor(pbft!, n, name, { measured: { ...block, [name]: block[name] + more }, simulated: block, emptyShare })
    expect(reason('signaturesChecked', 1)).toMatch(/a quorum of commits/)
    expect(reason('signaturesChecked', 7)).toMatch(/a quorum of commits/)
    expect(reason('signaturesChecked', 8)).toBe(null)
    expect(reason('signaturesChecked', -1)).toBe(null)
    for (const name of ['messages', 'bytes', 'signaturesMade'] as const) expect(reason(name, 1)).toBe(null)
    // A chain that had more of it was subtracted.
    expect(reason('signaturesChecked', -1, 0)).toMatch(/a quorum of commits/)
    expect(reason('signaturesChecked', -8, 0)).toBe(null)
  })

  it('hotstuff: votes that come too late, while a quorum is left', () => {
    for (const name of ['messages', 'signaturesMade'] as const) {
      expect(lone(hotstuff, name, -2)).toMatch(/a view that has gone by/)
      expect(lone(hotstuff, name, -3)).toBe(null)
      expect(lone(hotstuff, name, 1)).toBe(null)
    }
  })

  it('hotstuff: blocks that were asked for, and votes of others', () => {
    expect(lone(hotstuff, 'messages', 1, { ask: 1 })).toMatch(/asks for/)
    expect(lone(hotstuff, 'messages', 2, { ask: 1 })).toBe(null)
    expect(lone(hotstuff, 'signaturesChecked', 1)).toMatch(/a quorum of votes/)
    expect(lone(hotstuff, 'signaturesChecked', 2)).toBe(null)
    expect(lone(hotstuff, 'signaturesChecked', -1)).toBe(null)
  })

  it('hotstuff: bytes follow messages, and empty blocks have fewer', () => {
    expect(lone(hotstuff, 'bytes', 1)).toBe(null)
    expect(lone(hotstuff, 'bytes', 100, { ask: 1 })).toMatch(/asks for/)
    const fewer = { ...simulated, bytes: 4900 }
    const bytes = (measured: typeof simulated, emptyShare: number | null): string | null =>
      reasonFor(hotstuff!, n, 'bytes', { measured, simulated, emptyShare })
    expect(bytes({ ...fewer, messages: 11 }, null)).toMatch(/gone by/)
    expect(bytes(fewer, 0.1)).toMatch(/empty blocks/)
    expect(bytes(fewer, 0)).toBe(null)
  })

  it('counts by the blocks that one on its own needs', () => {
    const two = { ...simulated, messages: 24 }
    const measured = { ...two, signaturesChecked: 42 }
    expect(reasonFor(hotstuff!, n, 'signaturesChecked', { measured, simulated: two, emptyShare: null })).not.toBe(null)
    const three = { ...two, signaturesChecked: 43 }
    expect(reasonFor(hotstuff!, n, 'signaturesChecked', { measured: three, simulated: two, emptyShare: null })).toBe(
      null,
    )
  })

  it('is in one of the four', () => {
    expect(isEqual({ measured: { ...simulated, apart: { heartbeat: 1 } }, simulated })).toBe(true)
    for (const name of ['messages', 'bytes', 'signaturesMade', 'signaturesChecked'] as const) {
      expect(isEqual({ measured: { ...simulated, [name]: 1 }, simulated })).toBe(false)
    }
  })
})
