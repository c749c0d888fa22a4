// What it costs to give a view up, in formulas, beside pbft's view change: docs/protocols/hotstuff-figures.md has the figures.

import { describe, expect, it } from 'vitest'
import { viewChangeCost } from '../pbft/view-change-costs.ts'
import { delaysToDecision, outageUnderLoad, pbftDelaysToDecision, viewCost } from './view-change-costs.ts'

const rules = ['two-chain', 'three-chain'] as const

describe('a view given up', () => {
  it.each([4, 5, 7, 10, 31])('among %i costs each voter one message to each, and each timeout one check', (voters) => {
    const { quorum, messages, answers, made, checkedByLeader, checkedByOther } = viewCost(voters)
    const up = voters - 1
    // Who comes too late for the quorum hears of it from all others: nobody answers him.
    expect(answers).toBe(0)
    // A TIMEOUT of everybody to everybody, and the proposal.
    expect(messages).toBe(up * (voters - 1) + (voters - 1))
    expect(made).toBe(up + 1)
    // No more than a quorum, of which one is its own; the certificate that they carry is known.
    expect(checkedByLeader).toBe(quorum - 1)
    // The proposal besides, and what its leader has counted and others have not.
    expect(checkedByOther).toBeGreaterThanOrEqual(quorum)
    expect(checkedByOther).toBeLessThanOrEqual(quorum + (up - quorum) + 1)
  })

  it('carries nothing of what is under way, where pbft carries each block of its window', () => {
    const { bytes } = viewCost(7)
    const perBlock = (viewChangeCost(7, 16).bytes - viewChangeCost(7, 8).bytes) / 8
    // From the second block on pbft's costs more.
    expect(viewChangeCost(7, 1).bytes).toBeLessThan(bytes)
    expect(viewChangeCost(7, 1).bytes + perBlock).toBeGreaterThan(bytes)
  })
})

describe('from the moment in which a view is given up', () => {
  it.each([4, 7, 10, 13])('a block is decided everywhere after 6, 8 and 4 one-way delays (%i voters)', (voters) => {
    expect(delaysToDecision(voters, 'two-chain')).toBe(6)
    // Three-chain among four never decides again when one of them is dead.
    if (voters > 4) expect(delaysToDecision(voters, 'three-chain')).toBe(8)
    expect(pbftDelaysToDecision(voters)).toBe(4)
  })

  it.each(rules)('a leader that dies under load costs two views, each of one timeout (%s)', (rule) => {
    for (const voters of [7, 10]) expect(outageUnderLoad(voters, rule)).toEqual({ timeouts: 2, viewsGivenUp: 2 })
  })
})
