// Goal: an accusation of a correct replica, or without proof, is a violation, and so is a time that no right clock has shown; and what is
// said of a liar with proof is not.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/kernel/random.ts'
import { replicaId, type ProtocolName } from '../../src/kernel/ids.ts'
import { signingBytes, signingDomains } from '../../src/kernel/domains.ts'
import type { Evidence } from '../../src/kernel/evidence.ts'
import { encode } from '../../src/wire/codec.ts'
import { executedHeaderCodec } from '../../src/kernel/executed-header.ts'
import { Clocks } from '../../src/simulator/clocks.ts'
import { drawFaultPlan } from '../../src/simulator/fault-plan.ts'
import { Invariants } from '../../src/simulator/invariants.ts'
import type { Coverage } from '../../src/simulator/report.ts'
import { Scheduler } from '../../src/simulator/scheduler.ts'
import { createSimulatedSuite } from '../../src/simulator/simulated-suite.ts'
import { VirtualClock } from '../../src/simulator/virtual-clock.ts'
import { Witness } from '../../src/simulator/witness.ts'
import { epochOf } from './epochs.ts'

const liar = replicaId(3)
const zeros = new Uint8Array(32)

function bench(protocol: ProtocolName = 'pbft') {
  const suite = createSimulatedSuite()
  const epoch = epochOf(protocol, 4)
  const invariants = new Invariants(new Scheduler())
  const coverage: Coverage = {}
  const signers = epoch.members.map(({ id }) => suite.signer(new Uint8Array(32).fill(id)))
  const witness = new Witness({
    epoch,
    definition: { name: protocol } as never,
    suite,
    invariants,
    coverage,
    isLiar: (replica) => replica === liar,
    rightTimes: () => [
      { lowestMs: 1_000_000, highestMs: 1_010_000 },
      { lowestMs: 1_000_500, highestMs: 1_020_000 },
    ],
  })
  const evidence = (of: number, time: number): Evidence => {
    const statement = (at: number) => {
      const header = {
        epoch: 1,
        height: 4,
        parent: zeros,
        blockDigest: zeros,
        resultsRoot: zeros,
        stateRoot: zeros,
        time: at,
      }
      const body = encode(executedHeaderCodec, header)
      const signed = signingBytes('checkpoint', { network: epoch.network, epoch: 1, protocol }, body)
      return { body, signature: signers[of - 1]!.sign(signed) }
    }
    const domainTag = signingDomains.checkpoint
    return { replica: replicaId(of), protocol, epoch: 1, domainTag, first: statement(1), second: statement(time) }
  }
  const decided = (timestamp: number): string | undefined => {
    witness.decided({ epoch: 1, height: 9, timestamp, payloadDigest: zeros })
    return invariants.violation?.invariant
  }
  return { witness, evidence, invariants, coverage, decided }
}

describe('an accusation', () => {
  it('of a liar, with two signed statements that contradict each other, is counted and no violation', () => {
    const { witness, evidence, invariants, coverage } = bench()
    witness.accused(replicaId(1), evidence(liar, 2))
    expect(invariants.violation).toBeNull()
    expect(coverage['evidence']).toBe(1)
  })

  it('of a correct replica is a violation, however well it is signed', () => {
    const { witness, evidence, invariants } = bench()
    witness.accused(replicaId(1), evidence(2, 2))
    expect(invariants.violation?.invariant).toBe('false-accusation')
    expect(invariants.violation?.explanation).toContain('replica 1 accuses replica 2, which is correct')
  })

  it('of a liar that proves nothing is a violation', () => {
    const once = bench()
    once.witness.accused(replicaId(1), once.evidence(liar, 1))
    expect(once.invariants.violation?.invariant).toBe('worthless-evidence')
    const forged = bench()
    forged.witness.accused(replicaId(1), { ...forged.evidence(2, 2), replica: liar })
    expect(forged.invariants.violation?.explanation).toContain('a wrong signature')
  })
})

describe('the time of a block', () => {
  // The tolerance is 5,000 ms.
  it.each([
    [995_000, undefined],
    [1_025_000, undefined],
    [0, undefined],
    [994_999, 'absurd-time'],
    [1_025_001, 'absurd-time'],
  ])('%i is judged by what right clocks have shown', (timestamp, violated) => {
    expect(bench().decided(timestamp)).toBe(violated)
  })

  it('is nobody’s affair where members do not vote for it', () => {
    expect(bench('raft').decided(1)).toBeUndefined()
  })
})

describe('wall clocks', () => {
  const plan = { ...drawFaultPlan(createRandom(1), 'all'), wallOffsetMsMax: 3_600_000 }
  const clocks = (protocol: ProtocolName, seed: number): Clocks =>
    new Clocks({ epoch: epochOf(protocol, 7), plan, isLiar: (id) => id === liar, random: createRandom(seed) })
  const ids = [1, 2, 3, 4, 5, 6, 7].map(replicaId)

  it('are wrong at no more replicas than may be faulty, with those that lie', () => {
    const counts = new Set<number>()
    for (let seed = 0; seed < 30; seed++) {
      const drawn = clocks('pbft', seed)
      const far = ids.filter((id) => drawn.of(id).jumpsFar)
      expect(far).not.toContain(liar)
      expect(far.filter((id) => drawn.isRight(id))).toEqual([])
      for (const id of ids) if (!far.includes(id)) expect(drawn.of(id).wallOffsetMsMax).toBe(625)
      counts.add(far.length)
    }
    expect([...counts].sort()).toEqual([0, 1])
  })

  it('may all be wrong where nobody compares them', () => {
    const drawn = clocks('raft', 1)
    expect(ids.every((id) => drawn.of(id).jumpsFar && drawn.of(id).wallOffsetMsMax === 3_600_000)).toBe(true)
  })

  it('are off by no more than they may, however often they jump, and remember what they have shown', () => {
    const clock = new VirtualClock(0, 100, 500)
    const { wallMs } = clock.at(0)
    clock.jumpWall(450, 0)
    expect(clock.at(0).wallMs).toBe(wallMs + 400)
    clock.jumpWall(-3000, 0)
    expect(clock.shown(1_000_000)).toEqual({ lowestMs: wallMs - 600, highestMs: wallMs + 400 + 0 })
    clock.setWall(0, 1_000_000)
    expect(clock.at(1_000_000).wallMs).toBe(wallMs - 100 + 1000)
  })
})
