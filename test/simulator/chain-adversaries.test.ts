// Goal: each lie told in hotstuff's words is told, is what it says it is, proves nothing that is not so, and harms nobody.

import { describe, expect, it } from 'vitest'
import { replicaId, type ReplicaId } from '../../src/kernel/ids.ts'
import { membershipOf, type Epoch } from '../../src/kernel/membership.ts'
import type { HotstuffRule } from '../../src/kernel/parameters.ts'
import type { QuorumCertificate } from '../../src/kernel/proof.ts'
import { createRandom } from '../../src/kernel/random.ts'
import { emptyPayload } from '../../src/kernel/block.ts'
import { decisionFault } from '../../src/protocols/hotstuff/decision.ts'
import type { HotstuffMessage, Proposal } from '../../src/protocols/hotstuff/messages.ts'
import { isSignedProposal, isSignedVote, scopeOf } from '../../src/protocols/hotstuff/statements.ts'
import type { AdversaryOptions, Attack, Behaviour } from '../../src/simulator/adversaries/behaviour.ts'
import { ChainPen } from '../../src/simulator/adversaries/hotstuff/chain-pen.ts'
import { hotstuffBehaviours } from '../../src/simulator/adversaries/table.ts'
import { behaviourNames } from '../../src/simulator/protocols.ts'
import { runSeed } from '../../src/simulator/simulation.ts'
import { createSimulatedSuite, simulatedHasher } from '../../src/simulator/simulated-suite.ts'
import { epochOf } from './epochs.ts'

const suite = createSimulatedSuite()
const signerOf = (id: number) => suite.signer(new Uint8Array(32).fill(id))
for (const id of [1, 2, 3, 4]) signerOf(id)

function epochWith(rule: HotstuffRule): Epoch {
  const epoch = epochOf('hotstuff', 4)
  const { parameters } = epoch
  return { ...epoch, parameters: { ...parameters, hotstuff: { ...parameters.hotstuff, rule } } }
}

function optionsOf(self: number, seed: number = 1, rule: HotstuffRule = 'two-chain'): AdversaryOptions {
  const epoch = epochWith(rule)
  const membership = membershipOf(epoch)
  return {
    self: replicaId(self),
    epoch,
    membership,
    others: membership.all.filter((other) => other !== self),
    signer: signerOf(self),
    hasher: simulatedHasher,
    random: createRandom(seed),
  }
}

const liar = replicaId(1)
const others = [2, 3, 4].map(replicaId)
const pens = new Map([1, 2, 3, 4].map((id) => [id, new ChainPen(optionsOf(id))]))
const penOf = (id: number) => pens.get(id)!
const genesis = penOf(1).genesis.certificate
const genesisHeight = penOf(1).genesis.node.block.height

function certify(node: Proposal): QuorumCertificate {
  const statement = { view: node.view, node: penOf(1).digestOf(node) }
  const votes = others.map((replica) => ({ replica, signature: penOf(replica).vote(statement).signature }))
  return { ...statement, votes }
}

function nodeOn(parent: Proposal | null, view: number, by: number): Proposal {
  const justify = parent === null ? genesis : certify(parent)
  const height = (parent?.header.height ?? genesisHeight) + 1
  const payloadDigest = penOf(by).payloadDigest(emptyPayload)
  const header = { epoch: 1, height, timestamp: view, payloadDigest }
  return penOf(by).proposal({ view, header, payload: emptyPayload, justify, timeouts: null, extended: null })
}

function behaviourOf(name: string): Behaviour<HotstuffMessage> {
  return hotstuffBehaviours.find((one) => one.name === name)!
}

/** The attack of the first seeds that does what is asked: each draws how often it lies, and to whom. */
function eachAttack(name: string): Attack<HotstuffMessage>[] {
  return Array.from({ length: 40 }, (_, seed) => behaviourOf(name).create(optionsOf(1, seed)))
}

function isProposal(message: HotstuffMessage): message is Proposal {
  return message.kind === 'proposal'
}

interface Told {
  readonly to: ReplicaId
  readonly message: HotstuffMessage
}

function tell(attack: Attack<HotstuffMessage>, message: HotstuffMessage): Told[] {
  const told: Told[] = []
  for (const to of others) {
    if (attack.send === undefined) told.push({ to, message })
    else attack.send(message, to, (receiver, said) => void told.push({ to: receiver, message: said }))
  }
  return told
}

function hear(attack: Attack<HotstuffMessage>, message: HotstuffMessage, from: number = 2): boolean {
  return attack.receive?.(message, replicaId(from), () => {}) ?? true
}

/** Three views of others, each on the one before. */
function chain(): [Proposal, Proposal, Proposal] {
  const first = nodeOn(null, 1, 2)
  const second = nodeOn(first, 2, 3)
  return [first, second, nodeOn(second, 3, 4)]
}

const by = (epoch: Epoch) => ({
  scope: scopeOf(epoch),
  membership: membershipOf(epoch),
  ports: { verifier: suite },
})

describe('a leader that forks', () => {
  it('extends an older node that a quorum has certified, at its height, well signed, and votes for what it has proposed', () => {
    const [first, second, third] = chain()
    const own = nodeOn(third, 5, 1)
    const forks = eachAttack('forking-leaders').flatMap((attack) => {
      for (const node of [first, second, third]) hear(attack, node)
      const made = tell(attack, own).map(({ message }) => message)
      const fork = made.filter(isProposal).find(({ justify }) => justify.view !== own.justify.view)
      if (fork === undefined) return []
      const node = penOf(1).digestOf(fork)
      expect(isSignedProposal(by(epochWith('two-chain')), liar, { view: 5, node }, fork.signature)).toBe(true)
      expect(fork.header.height).toBe(genesisHeight + 1 + fork.justify.view)
      const [vote] = tell(attack, penOf(1).vote({ view: 5, node: penOf(1).digestOf(own) }))
      expect(vote!.message).toMatchObject({ kind: 'vote', node })
      return [fork]
    })
    expect(new Set(forks.map(({ justify }) => justify.view))).toEqual(new Set([0, 1, 2]))
  })

  it('takes the timeouts that ask least where it has a choice', () => {
    const [first, second, third] = chain()
    const highest = certify(third)
    const own = nodeOn(third, 5, 1)
    const reasons = eachAttack('forking-leaders').flatMap((attack) => {
      for (const node of [first, second, third]) hear(attack, node)
      hear(attack, penOf(2).timeout(4, 3, highest), 2)
      for (const id of [3, 4]) hear(attack, penOf(id).timeout(4, 2, certify(second)), id)
      const made = tell(attack, own).map(({ message }) => message)
      return made.filter(isProposal).map(({ timeouts }) => timeouts)
    })
    const views = reasons.flatMap((reason) => reason?.timeouts.map(({ certificateView }) => certificateView) ?? [])
    expect(new Set(views)).toEqual(new Set([0, 2]))
  })

  it('tells one replica alone the certificate that its fork leaves aside', () => {
    const [first, second, third] = chain()
    const own = nodeOn(third, 5, 1)
    const told = eachAttack('forking-leaders').flatMap((attack) => {
      for (const node of [first, second, third]) hear(attack, node)
      const certificates = tell(attack, own).filter(({ message }) => message.kind === 'newest')
      expect(certificates.length).toBeLessThanOrEqual(1)
      return certificates
    })
    expect(new Set(told.map(({ to }) => to)).size).toBeGreaterThan(1)
    for (const { message } of told) expect(message).toMatchObject({ certificate: certify(third) })
  })

  it('sees no votes for the tail that it cuts off', () => {
    const vote = penOf(2).vote({ view: 3, node: new Uint8Array(32) })
    const seen = eachAttack('tail-forking-leaders').map((attack) => hear(attack, vote))
    expect(new Set(seen)).toEqual(new Set([true, false]))
  })
})

describe('a leader that keeps things to itself', () => {
  it('tells a certificate that it alone has to nobody or to few, and gives up with an older one', () => {
    const [first, second, third] = chain()
    const own = nodeOn(third, 4, 1)
    let kept = 0
    for (const attack of eachAttack('withheld-certificates')) {
      for (const node of [first, second, third]) hear(attack, node)
      const told = tell(attack, own)
      if (told.length === others.length) continue
      kept++
      const gaveUp = tell(attack, penOf(1).timeout(4, 3, certify(third)))
      const certificates = gaveUp.map(({ message }) => (message as { certificateView: number }).certificateView)
      expect(certificates.filter((view) => view === 2).length).toBe(others.length - told.length)
    }
    expect(kept).toBeGreaterThan(0)
  })

  it('is silent as a leader, and hands on what others have proposed', () => {
    const [first] = chain()
    for (const attack of eachAttack('silent-leaders')) {
      hear(attack, first)
      expect(tell(attack, first).length).toBe(others.length)
      expect(tell(attack, nodeOn(first, 2, 1))).toEqual([])
    }
  })
})

describe('a liar that gives views up', () => {
  it('claims certificates that there are not beside the word of others, which is genuine', () => {
    const [first, second, third] = chain()
    for (const attack of eachAttack('false-highest-certificates')) {
      for (const node of [first, second, third]) hear(attack, node)
      for (const id of others) hear(attack, penOf(id).timeout(3, 2, certify(second)), id)
      const told: HotstuffMessage[] = []
      attack.tick!((_to, message) => void told.push(message))
      expect(told.length).toBe(others.length)
      for (const message of told) {
        const { timeouts } = message as Extract<HotstuffMessage, { kind: 'newest' }>
        expect(timeouts!.timeouts.map(({ certificateView }) => certificateView)).toEqual([3, 2, 2])
      }
    }
  })

  it('signs for older certificates, or for two at once', () => {
    const [first, second, third] = chain()
    const own = penOf(1).timeout(4, 2, certify(second))
    const said = (name: string) =>
      new Set(
        eachAttack(name).flatMap((attack) => {
          for (const node of [first, second, third]) hear(attack, node)
          return tell(attack, own).map(({ message }) => (message as { certificateView: number }).certificateView)
        }),
      )
    expect(said('stale-certificates')).toEqual(new Set([0, 1, 2]))
    expect(said('equivocating-timeouts')).toEqual(new Set([1, 2]))
  })
})

describe('a server of orphans', () => {
  /** Of views 1 to 6, decided; and beside it a certified node of view 7 on the first, with a certified child of view 9. */
  const decided = [nodeOn(null, 1, 2)]
  for (let view = 2; view <= 6; view++) decided.push(nodeOn(decided.at(-1)!, view, 3))
  const orphan = nodeOn(decided[0]!, 7, 4)
  const child = nodeOn(orphan, 9, 4)
  const last = nodeOn(child, 12, 4)
  const tip = nodeOn(last, 13, 4)

  it.each<[HotstuffRule, number]>([
    ['two-chain', 2],
    ['three-chain', 3],
  ])('has proofs for blocks that a quorum has signed, and none shows anything (%s)', (rule, run) => {
    const epoch = epochWith(rule)
    const ports = { hasher: simulatedHasher, verifier: suite }
    const nodes = decided.slice(1, 1 + run)
    const proof = {
      kind: 'hotstuff' as const,
      headers: nodes.map((node) => penOf(1).chained(node)),
      certificates: nodes.map(certify),
    }
    const { header, payload } = decided[1]!
    expect(decisionFault(epoch, header, proof, ports)).toBeNull()
    const faults = new Set<string | null>()
    let orphans = 0
    for (let seed = 0; seed < 80; seed++) {
      const attack = behaviourOf('orphaned-blocks').create(optionsOf(1, seed, rule))
      for (const node of [...decided, orphan, child, last, tip]) hear(attack, node, 4)
      const [offered] = attack.decided!([{ block: { header, payload }, proof }])
      if (offered!.proof === proof && offered!.block.header === header) continue
      if (offered!.block.header === orphan.header) orphans++
      faults.add(decisionFault(epoch, offered!.block.header, offered!.proof, ports))
    }
    expect(orphans).toBeGreaterThan(10)
    expect(faults).toEqual(new Set(['views that do not follow each other', 'no chain', 'the chain of another block']))
  })
})

describe('a liar that contradicts itself', () => {
  it('proposes two nodes of one view, both well signed, and votes for both', () => {
    const epoch = epochWith('two-chain')
    const own = nodeOn(null, 1, 1)
    let lies = 0
    for (const attack of eachAttack('equivocating-proposals')) {
      const told = tell(attack, own).map(({ message }) => message as Proposal)
      const second = told.find((one) => one.signature !== own.signature)
      if (second === undefined) continue
      lies++
      const node = penOf(1).digestOf(second)
      expect(isSignedProposal(by(epoch), liar, { view: 1, node }, second.signature)).toBe(true)
      const votes = tell(attack, penOf(1).vote({ view: 1, node: penOf(1).digestOf(own) }))
      expect(votes.length).toBe(2 * others.length)
    }
    expect(lies).toBeGreaterThan(0)
  })

  it('votes for whatever anybody proposes, once, in old views too', () => {
    const [first, second, third] = chain()
    const votes: HotstuffMessage[] = []
    for (const attack of eachAttack('voting-for-all')) {
      for (const node of [third, second, first, first]) {
        attack.receive!(node, replicaId(2), (to, message) => to === 2 && votes.push(message))
      }
    }
    const views = votes.map((vote) => (vote as { view: number }).view)
    expect(new Set(views)).toEqual(new Set([1, 2, 3]))
    for (const vote of votes) {
      if (vote.kind !== 'vote') throw new Error(vote.kind)
      expect(isSignedVote(by(epochWith('two-chain')), liar, vote, vote.signature)).toBe(true)
    }
  })
})

/** What correct replicas note of lies that they can see. */
const marks: Readonly<Record<string, string>> = {
  'equivocating-proposals': 'evidence',
  'proposing-anew': 'evidence',
  'equivocating-votes': 'evidence',
  'equivocating-timeouts': 'evidence',
  'forged-certificates': 'false-certificate',
  'false-highest-certificates': 'unjustified-proposal',
  'forking-leaders': 'unjustified-proposal',
  'bad-payloads': 'invalid-payload',
  'absurd-timestamps': 'clock-refused',
  'malformed-bytes': 'forged-proposal',
}
const seedsMax = 12
/** Where the first seeds tell no lie, or none that anybody notes. */
const firstSeeds: Readonly<Record<string, number>> = {
  'equivocating-checkpoints': 5,
  'lying-fetches': 5,
  'equivocating-proposals': 4,
  'equivocating-votes': 5,
  'withholding-votes': 2,
  'equivocating-timeouts': 22,
  'false-highest-certificates': 12,
}
/** Those that turn on what a later leader knows: the third node of a run is one more to pass by. */
const againstTheRun = [
  'equivocating-timeouts',
  'stale-certificates',
  'false-highest-certificates',
  'withheld-certificates',
  'forking-leaders',
  'tail-forking-leaders',
  'silent-leaders',
  'orphaned-blocks',
]

describe('hotstuff', () => {
  it.each(behaviourNames('hotstuff'))(
    'survives one of four that is %s and lies, and accuses nobody else',
    (behaviour) => {
      const asked = { protocol: 'hotstuff', replicas: 4, faults: 'all', adversaries: 1, behaviour } as const
      const met = new Set<string>()
      const wanted = [`lies-${behaviour}`, ...(marks[behaviour] === undefined ? [] : [marks[behaviour]])]
      const first = firstSeeds[behaviour] ?? 1
      for (let seed = first; seed < first + seedsMax && !wanted.every((name) => met.has(name)); seed++) {
        const { violation, coverage } = runSeed({ ...asked, seed })
        expect(violation).toBeNull()
        for (const name of Object.keys(coverage)) met.add(name)
      }
      expect([...met]).toEqual(expect.arrayContaining(wanted))
    },
  )

  it.each(againstTheRun)('survives two of seven that are %s, under three-chain', (behaviour) => {
    const asked = { protocol: 'hotstuff', replicas: 7, faults: 'all', rule: 'three-chain' } as const
    expect(runSeed({ ...asked, adversaries: 2, behaviour, seed: 3 }).violation).toBeNull()
  })
})
