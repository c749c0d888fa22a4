// Goal: a proof shows that a block is decided only if a quorum of this epoch's voters said just that. Method: one true proof, and
// everything in it and around it changed, one thing at a time.

import { describe, expect, it } from 'vitest'
import type { BlockHeader } from '../../../src/kernel/block.ts'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { Epoch } from '../../../src/kernel/membership.ts'
import type { DecisionProof, PbftDecisionProof } from '../../../src/kernel/proof.ts'
import { decisionFault, isDecided } from '../../../src/protocols/pbft/decision.ts'
import { viewMax } from '../../../src/protocols/pbft/messages.ts'
import { ports, SignedGroup } from './signed-group.ts'

const group = new SignedGroup(4, 1)
const { header } = group.block(5)
const proof = group.proof(header, 3)
const fault = (proofOf: DecisionProof, of: BlockHeader = header, epoch: Epoch = group.epoch): string | null =>
  decisionFault(epoch, of, proofOf, ports)
const withCommits = (commits: PbftDecisionProof['commits']): PbftDecisionProof => ({ ...proof, commits })

describe('a decision proof', () => {
  it('shows what a quorum, and what all voters have said', () => {
    expect(isDecided(group.epoch, header, proof, ports)).toBe(true)
    expect(fault(group.proof(header, 0, group.membership.voters))).toBeNull()
    expect(fault(group.proof(header, viewMax))).toBeNull()
  })

  it.each([
    [4, 3],
    [5, 4],
    [6, 4],
    [7, 5],
  ])('of %i voters needs %i commits', (voters, quorum) => {
    const other = new SignedGroup(voters)
    const ids = other.membership.voters
    expect(fault(other.proof(header, 0, ids.slice(0, quorum)), header, other.epoch)).toBeNull()
    expect(fault(other.proof(header, 0, ids.slice(0, quorum - 1)), header, other.epoch)).toBe('too few commits')
  })

  it('counts nobody twice', () => {
    const [first, second] = proof.commits
    expect(fault(withCommits([first!, second!, second!]))).toBe('one signer twice')
    expect(fault(withCommits([...proof.commits, ...proof.commits]))).toBe('more commits than voters')
  })

  it('counts no learner and no stranger', () => {
    const learner = group.membership.learners[0]!
    expect(fault(group.proof(header, 3, [...group.quorum.slice(1), learner]))).toBe('a commit of no voter')
    const [first, ...rest] = proof.commits
    expect(fault(withCommits([...rest, { ...first!, replica: replicaId(77) }]))).toBe('a commit of no voter')
  })

  it.each([
    ['epoch', { epoch: 2 }, 'a block of another epoch'],
    ['height', { height: 6 }, 'commits of another block'],
    ['timestamp', { timestamp: 1 }, 'commits of another block'],
    ['payload', { payloadDigest: new Uint8Array(32) }, 'commits of another block'],
  ])('is for one block: its %s', (_, change, reason) => {
    expect(fault(proof, { ...header, ...change })).toBe(reason)
  })

  it('is not for another block, though the proof names it', () => {
    const other = group.block(5, 1).header
    expect(fault({ ...group.proof(other, 3), commits: proof.commits }, other)).toBe('a wrong signature')
    expect(fault({ ...proof, blockDigest: group.proof(other).blockDigest })).toBe('commits of another block')
  })

  it('is for one view', () => {
    expect(fault({ ...proof, view: 4 })).toBe('a wrong signature')
    const mixed = [...proof.commits.slice(0, 2), group.proof(header, 4).commits[2]!]
    expect(fault(withCommits(mixed))).toBe('a wrong signature')
  })

  it.each([-1, 0.5, viewMax + 1, Number.MAX_SAFE_INTEGER, Number.NaN])('of view %d is none', (view) => {
    expect(fault({ ...proof, view })).toBe('no view')
  })

  it('is for one network and one epoch', () => {
    expect(fault(proof, header, { ...group.epoch, network: new Uint8Array(32) })).toBe('a wrong signature')
    expect(fault(proof, header, { ...group.epoch, number: 2 })).toBe('a block of another epoch')
    expect(fault(proof, { ...header, epoch: 2 }, { ...group.epoch, number: 2 })).toBe('commits of another block')
    expect(fault(proof, header, { ...group.epoch, firstHeight: 6 })).toBe('a block of another epoch')
  })

  it('has no wrong signature, not even beyond the quorum', () => {
    const all = group.proof(header, 3, group.membership.voters).commits
    for (const at of all.keys()) {
      const spoilt = Uint8Array.from(all[at]!.signature)
      spoilt[40]! ^= 1
      expect(fault(withCommits(all.with(at, { ...all[at]!, signature: spoilt })))).toBe('a wrong signature')
      expect(fault(withCommits(all.with(at, { ...all[at]!, signature: new Uint8Array() })))).toBe('a wrong signature')
    }
    const swapped = [
      { ...all[0]!, signature: all[1]!.signature },
      { ...all[1]!, signature: all[0]!.signature },
    ]
    expect(fault(withCommits([...swapped, all[2]!]))).toBe('a wrong signature')
  })

  it('has commits, and no prepares', () => {
    const { view, blockDigest: digest } = proof
    const prepares = group.votes(group.quorum, 'prepare', { view, height: header.height, digest })
    expect(fault(withCommits(prepares))).toBe('a wrong signature')
  })

  it('is of pbft', () => {
    expect(fault({ kind: 'raft', term: 1, index: header.height })).toBe('a proof of another protocol')
  })
})
