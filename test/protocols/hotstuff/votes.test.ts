// What a replica votes for, what it makes of votes, and what it takes for committed: each rule by itself, with everybody else lying.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { emptyPayload } from '../../../src/kernel/block.ts'
import { membershipOf } from '../../../src/kernel/membership.ts'
import { certificateFault } from '../../../src/protocols/hotstuff/certificates.ts'
import { contradictionOf } from '../../../src/protocols/hotstuff/evidence.ts'
import { scopeOf } from '../../../src/protocols/hotstuff/statements.ts'
import { Tree, treeNodesMax, type ChainNode } from '../../../src/protocols/hotstuff/tree.ts'
import { genesisHeader } from '../../../src/protocols/hotstuff/genesis.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { payloadOf } from '../raft/test-pool.ts'
import {
  certificateOf,
  chainOf,
  digestOf,
  garbage,
  genesisOf,
  proposalOf,
  signatureOf,
  spoilt,
  spoiltTimeouts,
  timeoutsOf,
  voteOf,
} from './forging.ts'
import { Lone } from './lone.ts'

const hourMs = 3_600_000
const rules = ['two-chain', 'three-chain'] as const

describe.each(rules)('%s', (rule) => {
  it('a node that extends the certificate of the view before is voted for, whoever hands it on', () => {
    const lone = new Lone(rule)
    lone.hear(4, ...chainOf(lone.world, 1, 2))
    expect(lone.voted).toEqual([1, 2])
  })

  it('one node is voted for in a view, and the leader of two is accused', () => {
    const lone = new Lone(rule)
    lone.hear(2, proposalOf(lone.world, 1, 1, 'a'), proposalOf(lone.world, 1, 1, 'b'))
    expect(lone.voted).toEqual([1])
    expect(lone.one.accused.map(({ replica }) => replica)).toEqual([2])
  })

  it('a node is not decided by a certificate too few', () => {
    const lone = new Lone(rule)
    const [first, second] = chainOf(lone.world, 1, 2)
    lone.hear(2, first!, second!)
    const last = rule === 'two-chain' ? first! : second!
    lone.hear(3, { kind: 'newest', certificate: certificateOf(lone.world, last), timeouts: null })
    expect(lone.one.texts).toEqual([])
  })
})

describe('what is proposed', () => {
  it('is signed by the leader of its view', () => {
    const lone = new Lone()
    const proposal = proposalOf(lone.world, 1, 1, 'a')
    lone.hear(2, { ...proposal, signature: garbage })
    lone.hear(4, { ...proposal, signature: signatureOf(lone.world, 4, proposal) })
    expect(lone.noted('forged-proposal')).toBe(2)
    expect(lone.voted).toEqual([])
  })

  it('has a certificate that a quorum has signed', () => {
    const lone = new Lone()
    const first = proposalOf(lone.world, 1, 1, 'a')
    lone.hear(2, first).hear(3, proposalOf(lone.world, 2, 2, 'b', spoilt(certificateOf(lone.world, first))))
    expect(lone.voted).toEqual([1])
    expect(lone.one.status.view).toBe(1)
  })

  it('has timeouts that a quorum has signed', () => {
    const lone = new Lone()
    lone.hear(4, proposalOf(lone.world, 3, 1, 'a', genesisOf(lone.world), spoiltTimeouts(timeoutsOf(lone.world, 2, 0))))
    expect(lone.voted).toEqual([])
    expect(lone.one.status.view).toBe(1)
  })

  it('has the payload that its header names', () => {
    const lone = new Lone()
    lone.hear(2, { ...proposalOf(lone.world, 1, 1, 'a'), payload: payloadOf('b') })
    expect(lone.voted).toEqual([])
  })

  it('has a time that a correct clock may show', () => {
    const lone = new Lone()
    const fast = lone.world.now.wallMs + hourMs
    lone.hear(2, proposalOf(lone.world, 1, 1, 'a', genesisOf(lone.world), null, fast))
    expect(lone.voted).toEqual([])
  })

  it('has envelopes that are some (B8)', () => {
    const lone = new Lone()
    lone.one.refuses = 'senseless'
    lone.hear(2, proposalOf(lone.world, 1, 1, 'senseless'))
    expect(lone.voted).toEqual([])
  })

  it('is one higher than its parent', () => {
    const lone = new Lone()
    lone.hear(2, proposalOf(lone.world, 1, 2, 'a'))
    expect(lone.voted).toEqual([])
  })

  it('is voted for when all that lies below it is here', () => {
    const lone = new Lone()
    const [first, second, third] = chainOf(lone.world, 1, 2, 5)
    lone.hear(2, third!).hear(3, second!)
    expect(lone.voted).toEqual([])
    lone.hear(2, first!)
    expect(lone.voted).toEqual([5])
  })
})

describe('after a view that was given up', () => {
  it('two-chain: a certificate below the highest that a quorum has signed is not extended (R2)', () => {
    const lone = new Lone()
    lone.hear(2, ...chainOf(lone.world, 1, 2))
    const timeouts = timeoutsOf(lone.world, 2, 1)
    lone.hear(4, proposalOf(lone.world, 3, 1, 'fork', genesisOf(lone.world), timeouts))
    expect(lone.noted('unjustified-proposal')).toBe(1)
    expect(lone.voted).toEqual([1, 2])
  })

  it('three-chain: what does not extend the lock is voted for with a later certificate than the lock’s', () => {
    const lone = new Lone('three-chain')
    const { world } = lone
    const [first, second, third] = chainOf(world, 1, 2, 3)
    lone.hear(2, first!, second!, third!)
    // Its vote for the third node has locked the first.
    lone.hear(2, proposalOf(world, 5, 1, 'fork', genesisOf(world), timeoutsOf(world, 4, 0)))
    expect(lone.one.status.view).toBe(5)
    expect(lone.voted).toEqual([1, 2])
    lone.hear(3, proposalOf(world, 6, 2, 'extends', certificateOf(world, first!), timeoutsOf(world, 5, 0)))
    expect(lone.voted).toEqual([1, 2, 6])
    const fork = proposalOf(world, 2, 1, 'other', genesisOf(world), timeoutsOf(world, 1, 0))
    lone.hear(3, fork)
    const later = certificateOf(world, fork)
    lone.hear(4, { kind: 'newest', certificate: later, timeouts: null }).hear(3, fork)
    lone.hear(2, proposalOf(world, 9, 2, 'later', later, timeoutsOf(world, 8, 0)))
    expect(lone.voted).toEqual([1, 2, 6, 9])
  })

  it('two-chain: nodes whose views do not follow each other commit nothing', () => {
    const lone = new Lone()
    const chain = chainOf(lone.world, 1, 3)
    lone.hear(2, ...chain)
    lone.hear(2, { kind: 'newest', certificate: certificateOf(lone.world, chain[1]!), timeouts: null })
    expect(lone.noted('committed')).toBe(0)
  })

  it('a commit takes the whole chain below it, in order', () => {
    const lone = new Lone()
    const chain = chainOf(lone.world, 1, 5, 6)
    lone.hear(2, ...chain)
    lone.hear(2, { kind: 'newest', certificate: certificateOf(lone.world, chain[2]!), timeouts: null })
    expect(lone.one.texts).toEqual(['1', '5'])
  })

  it('three-chain: nodes whose views do not follow each other commit nothing', () => {
    const lone = new Lone('three-chain')
    const chain = chainOf(lone.world, 1, 2, 5)
    lone.hear(2, ...chain)
    lone.hear(2, { kind: 'newest', certificate: certificateOf(lone.world, chain[2]!), timeouts: null })
    expect(lone.noted('committed')).toBe(0)
  })
})

describe('votes for what a replica extends', () => {
  /** It leads view 4: the votes of view 3 come to it, its own among them. */
  function gathering() {
    const lone = new Lone()
    const chain = chainOf(lone.world, 1, 2, 3)
    lone.hear(2, ...chain)
    return { lone, third: chain[2]!, other: proposalOf(lone.world, 3, 3, 'other', chain[2]!.justify) }
  }

  it('are a quorum', () => {
    const { lone, third } = gathering()
    lone.hear(2, voteOf(lone.world, 2, third))
    expect(lone.noted('certified-node')).toBe(0)
    lone.hear(3, voteOf(lone.world, 3, third))
    expect(lone.noted('certified-node')).toBe(1)
  })

  it('are verified before they count (R10)', () => {
    const { lone, third } = gathering()
    lone.hear(4, { ...voteOf(lone.world, 4, third), signature: garbage })
    lone.hear(2, voteOf(lone.world, 2, third))
    expect(lone.noted('certified-node')).toBe(0)
    lone.hear(3, voteOf(lone.world, 3, third))
    const [proposal] = lone.said('proposal')
    expect(proposal!.justify.votes.map(({ replica }) => replica)).toEqual([1, 2, 3])
  })

  it('stay when their replica votes again, which is evidence (B23)', () => {
    const { lone, third, other } = gathering()
    lone.hear(2, voteOf(lone.world, 2, third), voteOf(lone.world, 2, other))
    expect(lone.one.accused.map(({ replica }) => replica)).toEqual([2])
    lone.hear(3, voteOf(lone.world, 3, third))
    expect(lone.noted('certified-node')).toBe(1)
  })

  it('show nothing where one of two is not signed', () => {
    const { lone, third, other } = gathering()
    lone.hear(2, voteOf(lone.world, 2, third), { ...voteOf(lone.world, 2, other), signature: garbage })
    lone.hear(3, { ...voteOf(lone.world, 3, other), signature: garbage }, voteOf(lone.world, 3, third))
    expect(lone.one.accused).toEqual([])
  })
})

it('votes of two views contradict nothing', () => {
  const lone = new Lone()
  lone.hear(2, proposalOf(lone.world, 1, 1, 'a'), proposalOf(lone.world, 1, 1, 'b'))
  const [evidence] = lone.one.accused
  expect(contradictionOf(evidence!)).toBe('view 1')
  const later = new Lone()
  const [, second] = chainOf(later.world, 1, 2)
  later.hear(3, second!, proposalOf(later.world, 2, 1, 'b', genesisOf(later.world), timeoutsOf(later.world, 1, 0)))
  expect(contradictionOf({ ...evidence!, second: later.one.accused[0]!.second })).toBeNull()
})

it('of a certificate that is known no copy is handed on that nobody has verified', () => {
  const lone = new Lone()
  const [first, second] = chainOf(lone.world, 1, 2)
  lone.hear(2, first!, { kind: 'newest', certificate: second!.justify, timeouts: null })
  lone.hear(3, { ...second!, justify: spoilt(second!.justify) })
  expect(lone.voted).toEqual([1, 2])
  lone.hear(4, { kind: 'ask', node: digestOf(lone.world, second!) })
  const { epoch, suite } = lone.world
  const verifying = { scope: scopeOf(epoch), membership: membershipOf(epoch), ports: { verifier: suite } }
  const handedOn = lone.said('proposal').filter(({ view }) => view === 2)
  expect(handedOn.map(({ justify }) => certificateFault(verifying, justify))).toEqual([null])
})

it('the tree has room for so many nodes: the lowest go, but for those that must stay', () => {
  const lone = new Lone()
  const { node: digest } = genesisOf(lone.world)
  const tree = new Tree({ key: 'root', digest, header: genesisHeader(lone.world.epoch) })
  const proposal = { ...proposalOf(lone.world, 1, 1, 'a'), payload: emptyPayload }
  const nodeOf = (view: number): ChainNode => ({
    key: `${view}`,
    parentKey: 'root',
    digest: simulatedHasher.digest(new Uint8Array(view)),
    view,
    height: 1,
    header: genesisHeader(lone.world.epoch),
    leader: replicaId(1),
    proposal,
    sinceMs: 0,
    isEmpty: true,
    valid: null,
    persisted: null,
    held: false,
  })
  for (let view = 1; view <= treeNodesMax; view++) expect(tree.add(nodeOf(view), new Set())).toEqual([])
  expect(tree.add(nodeOf(treeNodesMax + 1), new Set(['1']))!.map(({ view }) => view)).toEqual([2])
  expect(tree.size).toBe(treeNodesMax)
})
