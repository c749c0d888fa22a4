// Goal: an audit finds nothing wrong with what correct replicas write, through deaths of primaries, view changes and catching up. Method: the
// records of cores that the benches run, which nobody made for an audit.

import { expect, it } from 'vitest'
import { DirectoryFindings } from '../../../src/cli/audit/findings.ts'
import { HotstuffAuditor } from '../../../src/cli/audit/hotstuff-records.ts'
import { PbftAuditor } from '../../../src/cli/audit/pbft-records.ts'
import { Witness } from '../../../src/cli/audit/witness.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { Bench as HotstuffBench, type Replica as HotstuffReplica } from '../../protocols/hotstuff/bench.ts'
import { Bench, kinds, type Replica } from '../../protocols/pbft/bench.ts'

function audit(bench: Bench, replica: Replica, witness: Witness): { faults: string[]; auditor: PbftAuditor } {
  const findings = new DirectoryFindings(`replica-${replica.id}`, replica.id)
  const ports = { hasher: simulatedHasher, verifier: bench.suite }
  const auditor = new PbftAuditor(findings, bench.epoch, ports, witness)
  return { faults: replica.disk.flatMap(({ record }) => auditor.judge(record) ?? []), auditor }
}

it('verifies what replicas have written over many views', () => {
  const bench = new Bench({ parameters: { batch: { lingerMs: 0 } } }).start()
  for (let round = 0; round < 8; round++) {
    const victim = bench.replica((round % 4) + 1)
    victim.crash()
    for (const replica of bench.replicas) if (replica.isUp) replica.propose(`r${round}`)
    bench.elapse(30_000)
    victim.start()
    bench.elapse(5_000)
  }
  const written = new Set(bench.replicas.flatMap(({ disk }) => disk.map(({ record }) => record.kind)))
  for (const kind of ['proposal', 'prepared', 'decided', 'view-change', 'new-view']) expect(written).toContain(kind)
  const witness = new Witness()
  for (const replica of bench.replicas) {
    const { faults, auditor } = audit(bench, replica, witness)
    expect(faults).toEqual([])
    expect(auditor.decided).toBeGreaterThanOrEqual(8)
  }
  expect({ lies: witness.lies, disagreements: witness.disagreements }).toEqual({ lies: [], disagreements: [] })
  expect(witness.compared).toBeGreaterThanOrEqual(8)
})

it('verifies what was carried into the next view', () => {
  const bench = new Bench().start()
  bench.replica(1).propose('a')
  bench.settle(kinds('pre-prepare', 'prepare'))
  bench.take(kinds('commit'))
  bench.replica(1).crash()
  for (const id of [2, 3, 4]) bench.replica(id).propose('b')
  bench.elapse(5_000)
  bench.replica(1).start()
  bench.elapse(5_000)
  const witness = new Witness()
  for (const replica of bench.replicas) expect(audit(bench, replica, witness).faults).toEqual([])
  expect({ lies: witness.lies, disagreements: witness.disagreements }).toEqual({ lies: [], disagreements: [] })
})

it.each(['two-chain', 'three-chain'] as const)('verifies what replicas of hotstuff have written, by %s', (rule) => {
  const bench = new HotstuffBench({ parameters: { hotstuff: { rule, leaders: 'tenure' } } }).start()
  for (let round = 0; round < 8; round++) {
    const victim = bench.replica((round % 4) + 1)
    victim.crash()
    for (const replica of bench.replicas) if (replica.isUp) replica.propose(`r${round}`)
    bench.elapse(60_000)
    victim.start()
    bench.elapse(5_000)
  }
  const written = new Set(bench.replicas.flatMap(({ disk }) => disk.map(({ record }) => record.kind)))
  for (const kind of ['voted', 'timeout', 'timeouts', 'decided']) expect(written).toContain(kind)
  const witness = new Witness()
  const ports = { hasher: simulatedHasher, verifier: bench.suite }
  for (const replica of bench.replicas as readonly HotstuffReplica[]) {
    const findings = new DirectoryFindings(`replica-${replica.id}`, replica.id)
    const auditor = new HotstuffAuditor(findings, bench.epoch, ports, witness)
    expect(replica.disk.flatMap(({ record }) => auditor.judge(record) ?? [])).toEqual([])
    expect(auditor.decided).toBeGreaterThanOrEqual(8)
  }
  expect({ lies: witness.lies, disagreements: witness.disagreements }).toEqual({ lies: [], disagreements: [] })
  expect(witness.compared).toBeGreaterThanOrEqual(8)
})
