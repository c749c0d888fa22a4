// Leaders by reputation: whoever does not sign is passed over, and everybody knows for whom, whatever it has lived through.

import { describe, expect, it } from 'vitest'
import { replicaId, type ReplicaId } from '../../../src/kernel/ids.ts'
import type { ChainedHeader, QuorumCertificate } from '../../../src/kernel/proof.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { decisionFault } from '../../../src/protocols/hotstuff/decision.ts'
import { leaderAfter, leaderInTurn, leadersIn } from '../../../src/protocols/hotstuff/leaders.ts'
import type { Proposal } from '../../../src/protocols/hotstuff/messages.ts'
import { headerOf } from '../../../src/protocols/hotstuff/node-header.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { Bench, type Replica } from './bench.ts'
import { agreedOf, certificateOf, proposalOf, timeoutsOf } from './forging.ts'

const rules = ['two-chain', 'three-chain'] as const

function bench(voters: number, rule: (typeof rules)[number] = 'two-chain'): Bench {
  const parameters = { batch: { operationsMax: 1, lingerMs: 0 }, hotstuff: { rule, leaders: 'reputation' as const } }
  return new Bench({ voters, parameters }).start()
}

function up(world: Bench): Replica[] {
  return world.replicas.filter(({ isUp }) => isUp)
}

let counted = 0

/** One after the other, each at all of these. */
function load(world: Bench, requests: number, at: readonly Replica[] = up(world)): void {
  for (let index = 0; index < requests; index++) {
    const text = `r${counted++}`
    for (const replica of at) replica.pool.add(text)
    for (const replica of at) replica.step({ kind: 'requests' })
    world.elapse(20)
  }
  world.elapse(40_000)
}

/** Who proposed since then, in the order of views. */
function leadersSince(world: Bench, sent: number): ReplicaId[] {
  const leaders = new Map<number, ReplicaId>()
  for (const { from, message } of world.sent.slice(sent))
    if (message.kind === 'proposal') leaders.set(message.view, from)
  return [...leaders].sort(([left], [right]) => left - right).map(([, leader]) => leader)
}

function givenUp(world: Bench): number {
  return world.replicas.reduce((sum, replica) => sum + replica.noted('view-given-up').length, 0)
}

/** All that are in one view know the same leader of it. */
function agreeOnTheLeader(world: Bench): void {
  const highest = Math.max(...up(world).map(({ status }) => status.view))
  const there = up(world).filter(({ status }) => status.view === highest)
  expect(there.length).toBeGreaterThanOrEqual(world.membership.quorum)
  expect(new Set(there.map(({ status }) => status.leader)).size).toBe(1)
}

describe('a voter that is dead', () => {
  it.each([
    [4, [1], 'two-chain'],
    [4, [3], 'two-chain'],
    [7, [5, 6], 'two-chain'],
    [10, [1, 4, 8], 'two-chain'],
    [4, [1], 'three-chain'],
    [4, [4], 'three-chain'],
    [7, [2, 5], 'three-chain'],
  ] as const)('is passed over after it has stopped signing (%i voters, dead %j, %s)', (voters, dead, rule) => {
    const world = bench(voters, rule)
    load(world, 2 * voters)
    for (const id of dead) world.replica(id).crash()
    load(world, 3 * voters)
    const [before, sent] = [givenUp(world), world.sent.length]
    load(world, 5 * voters)
    expect(givenUp(world)).toBe(before)
    const leaders = leadersSince(world, sent)
    expect(leaders.length).toBeGreaterThan(4 * voters)
    for (const id of dead) expect(leaders).not.toContain(replicaId(id))
    for (const replica of up(world)) expect(replica.texts).toHaveLength(10 * voters)
    agreeOnTheLeader(world)
  })

  it.each(rules)('leads again when it signs again (%s)', (rule) => {
    const world = bench(4, rule)
    load(world, 8)
    world.replica(1).crash()
    load(world, 12)
    world.replica(1).start()
    world.elapse(5_000)
    load(world, 4)
    const sent = world.sent.length
    load(world, 12)
    expect(leadersSince(world, sent)).toContain(replicaId(1))
    agreeOnTheLeader(world)
  })
})

describe('the leader is the same for all', () => {
  it.each([1, 2, 4])('after a restart (replica %i, and 3 is dead)', (id) => {
    const world = bench(4)
    load(world, 6)
    world.replica(3).crash()
    load(world, 9)
    for (let round = 0; round < 6; round++) {
      world.replica(id).crash().start()
      agreeOnTheLeader(world)
      world.elapse(2_000)
      const before = givenUp(world)
      load(world, 1)
      expect(givenUp(world)).toBe(before)
      agreeOnTheLeader(world)
    }
  })

  it.each([1, 2, 3, 4, 5, 6])('for one that was brought along by a state (%i blocks later)', (later) => {
    const world = bench(7)
    load(world, 8)
    world.replica(3).crash()
    world.isolate(4)
    load(
      world,
      12 + later,
      up(world).filter(({ id }) => id !== 4),
    )
    world.replica(4).restore(world.replica(1).decidedHeight)
    world.heal().elapse(2_000)
    expect(world.replica(4).status.view).toBe(world.replica(1).status.view)
    agreeOnTheLeader(world)
    const before = givenUp(world)
    load(world, 10)
    expect(givenUp(world)).toBe(before)
    expect(world.replica(4).decidedHeight).toBe(world.replica(1).decidedHeight)
  })

  it('for one that was brought along by decided blocks', () => {
    const world = bench(7)
    load(world, 8)
    world.replica(3).crash()
    world.isolate(4)
    load(
      world,
      40,
      up(world).filter(({ id }) => id !== 4),
    )
    world.heal().elapse(60_000)
    expect(world.replica(4).noted('catch-up').length).toBeGreaterThan(0)
    agreeOnTheLeader(world)
    const before = givenUp(world)
    load(world, 10)
    expect(givenUp(world)).toBe(before)
  })
})

describe('whatever the makers of certificates choose', () => {
  it.each([4, 5, 6, 7, 8, 10, 13, 16, 31])('(%i voters)', (voters) => {
    const agreed = agreedOf(bench(voters))
    const { membership } = agreed
    const random = createRandom(`signers ${voters}`)
    let node: ChainedHeader | null = null
    const lately: ReplicaId[] = []
    for (let view = 1; view < 400; view++) {
      const leader = node === null ? leaderInTurn(agreed, view) : leaderAfter(agreed, node)
      if (view > 3) {
        expect(node!.absent).not.toContain(leader)
        const passedOver = passed(membership.voters, leaderInTurn(agreed, view), leader)
        const silent = passedOver.filter((voter) => node!.absent.includes(voter))
        expect(silent.length).toBeLessThanOrEqual(voters - membership.quorum)
        // Nobody hands the lead to and fro: of so many leaders in a row one is correct.
        expect(lately.slice(0, membership.faultsTolerated)).not.toContain(leader)
        for (const voter of passedOver) {
          const isSilent = node!.absent.includes(voter)
          expect(isSilent || lately.slice(0, membership.faultsTolerated).includes(voter)).toBe(true)
        }
      }
      const signers = shuffled(membership.voters, random).slice(0, membership.quorum)
      node = headerAbove(node, view, leader, signers, agreed)
      lately.unshift(leader)
    }
  })
})

function headerAbove(
  below: ChainedHeader | null,
  view: number,
  leader: ReplicaId,
  signers: ReplicaId[],
  agreed: ReturnType<typeof agreedOf>,
): ChainedHeader {
  const votes = signers.map((replica) => ({ replica, signature: new Uint8Array() }))
  const digest = new Uint8Array(32)
  const block = { epoch: 1, height: view, timestamp: 0, payloadDigest: digest }
  const justify = { view: view - 1, node: digest, votes }
  return { block, view, parent: digest, ...leadersIn(agreed, leader, below, justify) }
}

function shuffled(ids: readonly ReplicaId[], random: ReturnType<typeof createRandom>): ReplicaId[] {
  const left = [...ids]
  const taken: ReplicaId[] = []
  while (left.length > 0) taken.push(...left.splice(random.below(left.length), 1))
  return taken
}

function passed(voters: readonly ReplicaId[], inTurn: ReplicaId, leader: ReplicaId): ReplicaId[] {
  const at = voters.indexOf(inTurn)
  const ring = [...voters.slice(at), ...voters.slice(0, at)]
  return ring.slice(0, ring.indexOf(leader))
}

describe('a liar that votes first and never leads, and a voter whose votes come last', () => {
  const pairs = [1, 2, 3, 4].flatMap((liar) => [1, 2, 3, 4].map((late) => [liar, late] as const))
  it.each(pairs.filter(([liar, late]) => liar !== late))('keep nothing from being committed (%i, %i)', (liar, late) => {
    const world = bench(4)
    const post = world.post.bind(world)
    world.post = (sent) => {
      if (sent.from !== liar || sent.message.kind === 'vote') post(sent)
    }
    const isLate: Parameters<Bench['settle']>[0] = ({ from, message }) => from === late && message.kind === 'vote'
    const honest = world.replicas.filter(({ id }) => id !== liar)
    for (const replica of honest) replica.propose(`by ${replica.id}`)
    for (const endMs = world.nowMs + 40_000; world.nowMs < endMs;) {
      world.elapse(100, (sent) => !isLate(sent))
      world.settle()
    }
    for (const replica of honest) expect(replica.texts).toHaveLength(3)
  })
})

it('a proof whose headers name leaders that there cannot be is refused, and breaks nothing', () => {
  const world = bench(4)
  load(world, 8)
  const { block, proof } = world.replica(1).decided.at(-1)!
  if (proof.kind !== 'hotstuff') throw new Error('another proof')
  const ports = { hasher: simulatedHasher, verifier: world.suite }
  const [first, ...others] = proof.headers
  for (const wrong of [
    { absent: [replicaId(9)] },
    { absent: [replicaId(2), replicaId(1)] },
    { lately: [replicaId(9)] },
  ]) {
    const headers = [{ ...first!, ...wrong }, ...others]
    expect(decisionFault(world.epoch, block.header, { ...proof, headers }, ports)).toBe('no leaders')
  }
})

describe('a proposal', () => {
  /** Views 1, 2 and so on, each with a certificate by these. */
  function chain(world: Bench, signers: readonly (readonly number[])[]): Proposal[] {
    const proposals = [proposalOf(world, 1, 1, 'p1')]
    for (const [index, by] of signers.entries()) proposals.push(above(world, proposals[index]!, by))
    return proposals
  }

  function above(world: Bench, below: Proposal, signers: readonly number[]): Proposal {
    const view = below.view + 1
    const header = headerOf(agreedOf(world), below)
    return proposalOf(
      world,
      view,
      view,
      `p${view}`,
      certificateOf(world, below, signers),
      null,
      world.now.wallMs,
      header,
    )
  }

  const all = [1, 2, 3]
  const votesOf = (world: Bench, id: number): number =>
    world.replica(id).disk.filter(({ record }) => record.kind === 'voted').length

  it('is another one with a certificate of other signers, though that holds', () => {
    const world = bench(4).isolate(4)
    const [first, second, third, fourth] = chain(world, [all, all, [2, 3, 4]])
    const four = world.replica(4)
    for (const one of [first!, second!, third!]) four.receive(1, one)
    const votes = votesOf(world, 4)
    expect(votes).toBe(3)
    const swapped: QuorumCertificate = certificateOf(world, third!, all)
    four.receive(1, { ...fourth!, justify: swapped })
    expect(four.noted('forged-proposal')).toHaveLength(1)
    expect(votesOf(world, 4)).toBe(votes)
    four.receive(1, fourth!)
    expect(votesOf(world, 4)).toBe(votes + 1)
  })

  it('keeps its signers where another certificate of the same node is known', () => {
    const world = bench(4).isolate(4)
    const proposals = chain(world, [all, all, [2, 3, 4], all])
    const four = world.replica(4)
    for (const one of proposals.slice(0, 3)) four.receive(1, one)
    four.receive(1, { kind: 'newest', certificate: certificateOf(world, proposals[2]!, all), timeouts: null })
    for (const one of proposals.slice(3)) four.receive(1, one)
    expect(votesOf(world, 4)).toBe(5)
    expect(four.noted('node-wanted')).toEqual([])
  })

  it('brings the header of what it extends along, and no other', () => {
    const world = bench(4).isolate(4)
    const [first, second] = chain(world, [all])
    const four = world.replica(4)
    const genesis = first!.extended
    for (const extended of [null, genesis, { ...second!.extended!, absent: [replicaId(2)] }]) {
      four.receive(1, { ...second!, extended })
    }
    expect(four.noted('unjustified-proposal')).toHaveLength(3)
    expect(votesOf(world, 4)).toBe(0)
    const plain = new Bench().start().isolate(4)
    plain.replica(4).receive(1, { ...proposalOf(plain, 1, 1, 'x'), extended: genesis })
    expect(plain.replica(4).noted('unjustified-proposal')).toHaveLength(1)
  })

  it('is judged before the node that it extends has come', () => {
    const world = bench(4).isolate(4)
    const proposals = chain(world, [all, all, [1, 3, 4], all])
    const four = world.replica(4)
    for (const one of proposals.reverse()) four.receive(1, one)
    expect(four.noted('forged-proposal')).toEqual([])
    expect(votesOf(world, 4)).toBe(1)
  })

  it('may stand beside another one of its view, by the leader for another reason: nobody is accused', () => {
    const world = bench(4).isolate(4)
    const proposals = chain(world, [all, all, [1, 3, 4]])
    const fourth = proposals[3]!
    const byChain = above(world, fourth, all)
    const third = proposals[2]!
    const inTurn = proposalOf(world, 5, 4, 'q', certificateOf(world, third, all), timeoutsOf(world, 4, 3))
    expect(leaderAfter(agreedOf(world), headerOf(agreedOf(world), fourth))).toBe(3)
    expect(leaderInTurn(agreedOf(world), 5)).toBe(2)
    const four = world.replica(4)
    for (const one of proposals) four.receive(1, one)
    for (const one of [inTurn, byChain, inTurn]) four.receive(1, one)
    expect(four.noted('forged-proposal')).toEqual([])
    // Of the two it votes for one.
    expect(votesOf(world, 4)).toBe(5)
    expect(four.accused).toEqual([])
  })

  it('has its vote repeated to the leader whom it goes to, also after a restart', () => {
    const world = bench(4).isolate(4)
    const proposals = chain(world, [all, all, [1, 3, 4]])
    const four = world.replica(4)
    for (const one of proposals) four.receive(1, one)
    const since = world.sent.length
    world.elapse(600)
    four.crash().start()
    world.elapse(600)
    const repeated = world.sent.slice(since).filter(({ from, message }) => from === 4 && message.kind === 'vote')
    expect(repeated.length).toBeGreaterThan(2)
    for (const { to } of repeated) expect(to).toBe(3)
  })

  it('of a liar in two kinds, by two sets of signers, lets all go on with one leader', () => {
    const world = bench(4)
    load(world, 5)
    const liar = world.replica(1).status.leader!
    world.liars.add(replicaId(liar))
    const honest = up(world).filter(({ id }) => id !== liar)
    const known = world.sent.findLast(({ message }) => message.kind === 'proposal')!.message as Proposal
    world.isolate(liar)
    const below = headerOf(agreedOf(world), known)
    const { height } = known.header
    const made = [all, [2, 3, 4]].map((signers) =>
      proposalOf(
        world,
        known.view + 1,
        height + 1,
        'x',
        certificateOf(world, known, signers),
        null,
        world.now.wallMs,
        below,
      ),
    )
    for (const [index, replica] of honest.entries()) replica.receive(liar, made[index % 2]!)
    for (const replica of honest) expect(replica.noted('forged-proposal')).toEqual([])
    world.elapse(100)
    for (const replica of honest) for (const one of made) replica.receive(liar, one)
    for (const replica of honest) expect(replica.accused).toHaveLength(1)
    for (const replica of honest) replica.propose(`after ${replica.id}`)
    world.elapse(60_000)
    for (const replica of honest) for (const { id } of honest) expect(replica.texts).toContain(`after ${id}`)
    expect(new Set(honest.map(({ status }) => `${status.view} ${status.leader}`)).size).toBe(1)
  })
})
