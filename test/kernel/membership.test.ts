// Goal: an epoch's arithmetic counts voters, whatever learners there are, and names members in one order.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { faultModelOf, protocolNames, replicaId, type ProtocolName } from '../../src/kernel/ids.ts'
import { membershipOf, type Member, type MemberRole } from '../../src/kernel/membership.ts'
import { faultsTolerated, oneCorrect, quorum } from '../../src/kernel/quorum.ts'

function member(id: number, role: MemberRole): Member {
  return {
    id: replicaId(id),
    name: `org-${id}`,
    role,
    consensusKey: new Uint8Array(32).fill(id & 0xff),
    linkKey: new Uint8Array(32).fill(255 - (id & 0xff)),
    addresses: [],
    priority: 0,
  }
}

function group(protocol: ProtocolName, voters: readonly number[], learners: readonly number[] = []) {
  const members = [...voters.map((id) => member(id, 'voter')), ...learners.map((id) => member(id, 'learner'))]
  return membershipOf({ protocol, members })
}

describe('a membership', () => {
  it.each([
    ['raft', 3, 1, 2, 1],
    ['raft', 4, 1, 3, 1],
    ['raft', 5, 2, 3, 1],
    ['pbft', 4, 1, 3, 2],
    // 2f+1 would be 3 here, and two quorums of 3 among 5 or 6 need not meet in a voter that tells the truth.
    ['pbft', 5, 1, 4, 2],
    ['pbft', 6, 1, 4, 2],
    ['hotstuff', 7, 2, 5, 3],
  ] as const)('of %s with %i voters survives %i, decides with %i, and believes %i', (protocol, voters, ...expected) => {
    const ids = Array.from({ length: voters }, (_, index) => index + 1)
    const membership = group(protocol, ids)
    expect([membership.faultsTolerated, membership.quorum, membership.oneCorrect]).toEqual(expected)
    expect(membership.faultModel).toBe(faultModelOf(protocol))
  })

  it('counts no learner', () => {
    const membership = group('raft', [1, 2, 3], [4, 5, 6, 7])
    expect(membership.quorum).toBe(2)
    expect(membership.faultsTolerated).toBe(1)
    expect(membership.voters).toEqual([1, 2, 3])
    expect(membership.learners).toEqual([4, 5, 6, 7])
  })

  it('has no voter and no arithmetic without voters', () => {
    expect(() => group('raft', [], [1])).toThrow(RangeError)
  })

  it('is the same for any order of its members, and each member has one role', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 0xffff }), { minLength: 2, maxLength: 12 })
    const whole = fc.record({ ids, split: fc.nat(), protocol: fc.constantFrom(...protocolNames) })
    fc.assert(
      fc.property(whole, ({ ids: all, split, protocol }) => {
        const voters = all.slice(0, 1 + (split % all.length))
        const learners = all.slice(1 + (split % all.length))
        const one = group(protocol, voters, learners)
        const other = group(protocol, [...voters].reverse(), [...learners].reverse())
        const rising = (numbers: readonly number[]) => [...numbers].sort((left, right) => left - right)
        expect(one.voters).toEqual(rising(voters))
        expect(one.learners).toEqual(rising(learners))
        expect(one.all).toEqual(rising(all))
        expect([other.voters, other.learners, other.all]).toEqual([one.voters, one.learners, one.all])
        for (const id of all) {
          expect(one.isMember(replicaId(id))).toBe(true)
          expect(one.isVoter(replicaId(id))).toBe(voters.includes(id))
          expect(one.member(replicaId(id))?.id).toBe(id)
        }
        const model = faultModelOf(protocol)
        expect(one.quorum).toBe(quorum(model, voters.length))
        expect(one.oneCorrect).toBe(oneCorrect(model, voters.length))
        expect(one.faultsTolerated).toBe(faultsTolerated(model, voters.length))
      }),
    )
  })

  it('knows no stranger', () => {
    const membership = group('raft', [1, 2, 3])
    for (const id of [4, 0xffff]) {
      expect(membership.isMember(replicaId(id))).toBe(false)
      expect(membership.isVoter(replicaId(id))).toBe(false)
      expect(membership.member(replicaId(id))).toBeUndefined()
    }
  })
})

describe('a replica id', () => {
  it.each([0, -1, 1.5, 65_536, Number.NaN, Number.POSITIVE_INFINITY])('is not %d', (value) => {
    expect(() => replicaId(value)).toThrow(RangeError)
  })

  it('is 1 to 65535', () => {
    expect([replicaId(1), replicaId(65_535)]).toEqual([1, 65_535])
  })
})
