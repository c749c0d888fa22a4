// What proves that a block is decided, to whoever has the network file alone; and what does not, however many have signed it.

import { describe, expect, it } from 'vitest'
import type { Epoch } from '../../../src/kernel/membership.ts'
import type { HotstuffRule } from '../../../src/kernel/parameters.ts'
import type { HotstuffDecisionProof, QuorumCertificate } from '../../../src/kernel/proof.ts'
import { decisionFault } from '../../../src/protocols/hotstuff/decision.ts'
import type { Proposal } from '../../../src/protocols/hotstuff/messages.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { Bench, timeoutMs } from './bench.ts'
import { certificateOf, chainOf, genesisOf, proofOf, proposalOf, spoilt, timeoutsOf } from './forging.ts'

const runs = [
  ['two-chain', 2],
  ['three-chain', 3],
] as const

/** What is asked of a proof, and by whom. */
interface Case {
  world: Bench
  chain: Proposal[]
  proof: HotstuffDecisionProof
  fault: (proof: HotstuffDecisionProof, of?: Proposal, epoch?: Epoch) => string | null
}

function caseOf(rule: HotstuffRule, run: number, voters = 4, learners = 0): Case {
  const world = new Bench({ voters, learners, parameters: { hotstuff: { rule } } })
  const chain = chainOf(world, 1, 2, 3).slice(0, run)
  const ports = { hasher: simulatedHasher, verifier: world.suite }
  const fault: Case['fault'] = (proof, of = chain[0]!, epoch = world.epoch) =>
    decisionFault(epoch, of.header, proof, ports)
  return { world, chain, proof: proofOf(world, chain), fault }
}

/** The certificate of the run's first node is replaced. */
function withFirst(proof: HotstuffDecisionProof, first: QuorumCertificate): HotstuffDecisionProof {
  return { ...proof, certificates: [first, ...proof.certificates.slice(1)] }
}

describe.each(runs)('%s', (rule, run) => {
  it('a run of certified nodes shows that its first is decided', () => {
    const { proof, fault } = caseOf(rule, run)
    expect(fault(proof)).toBeNull()
  })

  it('a node that is certified, and may have been orphaned, is not decided (R1)', () => {
    const { world, chain, fault } = caseOf(rule, run)
    for (let length = 0; length < run; length++) {
      expect(fault(proofOf(world, chain.slice(0, length)))).toBe('too few certificates')
      const { headers } = proofOf(world, chain)
      const { certificates } = proofOf(world, chain.slice(0, length))
      expect(fault({ kind: 'hotstuff', headers, certificates })).toBe('too few certificates')
    }
  })

  it('views that do not follow each other commit nothing', () => {
    const { world, chain, fault } = caseOf(rule, run)
    const justify = certificateOf(world, chain.at(-2)!)
    const later = proposalOf(world, 9, run, 'later', justify, timeoutsOf(world, 8, justify.view))
    expect(fault(proofOf(world, [...chain.slice(0, -1), later]))).toBe('views that do not follow each other')
  })

  it('it proves its own block', () => {
    const { world, chain, proof, fault } = caseOf(rule, run)
    expect(fault(proof, chain[1])).toBe('the chain of another block')
    expect(fault(proof, proposalOf(world, 1, 1, 'another'))).toBe('the chain of another block')
  })

  it('each header descends from the one below it', () => {
    const { world, chain, fault } = caseOf(rule, run)
    const orphan = proposalOf(world, chain.at(-2)!.view, chain.at(-2)!.header.height, 'orphan')
    const child = proposalOf(world, chain.at(-1)!.view, run, 'child', certificateOf(world, orphan))
    expect(fault(proofOf(world, [...chain.slice(0, -1), child]))).toBe('no chain')
  })

  it('its certificates are those of the run', () => {
    const { world, proof, fault } = caseOf(rule, run)
    const other = certificateOf(world, proposalOf(world, 1, 1, 'other'))
    expect(fault(withFirst(proof, other))).toBe('a certificate of another node')
    const ofView = { ...proof.certificates[0]!, view: 7 }
    expect(fault(withFirst(proof, ofView))).toBe('a certificate of another node')
  })

  it('a quorum of voters has signed each, in this network and epoch (B45)', () => {
    const { world, chain, proof, fault } = caseOf(rule, run)
    const [first] = chain
    const [one, two] = certificateOf(world, first!).votes
    expect(fault(withFirst(proof, spoilt(proof.certificates[0]!)))).toBe('a wrong signature')
    expect(fault(withFirst(proof, { ...proof.certificates[0]!, votes: [one!, two!] }))).toBe('too few signatures')
    expect(fault(withFirst(proof, { ...proof.certificates[0]!, votes: [one!, two!, two!] }))).toBe('one signer twice')
    expect(fault(proof, first, { ...world.epoch, network: new Uint8Array(32).fill(8) })).toBe('a wrong signature')
  })

  it('a certificate of an earlier epoch shows nothing in a later one', () => {
    const { world, chain, fault } = caseOf(rule, run)
    const later = { ...world.epoch, number: 2 }
    // The same nodes but for their epoch, signed by everybody in the first one.
    const linked: Proposal[] = []
    for (const proposal of chain) {
      const header = { ...proposal.header, epoch: 2 }
      const parent = linked.at(-1)
      const justify = parent === undefined ? genesisOf(world) : certificateOf(world, parent)
      linked.push({ ...proposal, header, justify })
    }
    expect(fault(proofOf(world, linked), linked[0], later)).toBe('a wrong signature')
  })

  it('a learner signs for nobody', () => {
    const { world, chain, proof, fault } = caseOf(rule, run, 4, 1)
    expect(fault(withFirst(proof, certificateOf(world, chain[0]!, [2, 3, 5])))).toBe('a wrong signature')
  })

  it('three of five are no quorum (R4)', () => {
    const { proof, fault } = caseOf(rule, run, 5)
    expect(fault(proof)).toBe('too few signatures')
  })
})

describe('a replica whose application is slow', () => {
  it.each(runs)('decides with the lowest run above each block, and not with all that came since (%s)', (rule, run) => {
    const parameters = {
      batch: { operationsMax: 1, lingerMs: 0 },
      flow: { executionLagBlocksMax: 4 },
      hotstuff: { rule },
    }
    const world = new Bench({ voters: 7, parameters }).start()
    const [one, slow] = [world.replica(1), world.replica(7)]
    slow.autoExecute = false
    slow.autoFetch = false
    const texts = Array.from({ length: 24 }, (_, index) => `${index}`)
    for (const replica of world.replicas) replica.pool.add(...texts)
    for (const replica of world.replicas) replica.step({ kind: 'requests' })
    world.elapse(20 * timeoutMs)
    expect(one.decidedHeight - slow.decidedHeight).toBeGreaterThan(4 * run)
    slow.autoExecute = true
    slow.execute()
    world.settle()
    expect(slow.decidedHeight).toBe(one.decidedHeight)
    const headers = slow.decided.map(({ proof }) => (proof.kind === 'hotstuff' ? proof.headers.length : 0))
    // Where its own turn to lead was, there is a gap: what lies right below it is committed by the run above.
    expect(Math.max(...headers)).toBe(2 * run - 1)
  })
})
