// Goal: an audit finds nothing wrong with what correct replicas write, through deaths of primaries, view changes and catching up. Method: the
// records of cores that the benches run, which nobody made for an audit.

import { describe, expect, it } from 'vitest'
import { DirectoryFindings } from '../../../src/cli/audit/findings.ts'
import { HotstuffAuditor } from '../../../src/cli/audit/hotstuff-records.ts'
import { PbftAuditor } from '../../../src/cli/audit/pbft-records.ts'
import { Witness } from '../../../src/cli/audit/witness.ts'
import type { QuorumCertificate } from '../../../src/kernel/proof.ts'
import type { HotstuffRecord, VotedRecord } from '../../../src/protocols/hotstuff/records.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { genesisHeader } from '../../../src/protocols/hotstuff/genesis.ts'
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

it.each([
  ['two-chain', 'tenure'],
  ['three-chain', 'tenure'],
  ['two-chain', 'reputation'],
] as const)('verifies what replicas of hotstuff have written, by %s with %s', (rule, leaders) => {
  const bench = new HotstuffBench({ parameters: { hotstuff: { rule, leaders } } }).start()
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

describe('what hotstuff has never written', () => {
  const bench = new HotstuffBench().start()
  // It leads the second view.
  bench.replica(3).crash()
  for (const replica of bench.replicas) if (replica.isUp) replica.propose('a')
  bench.elapse(60_000)

  /** The first record of that kind, of replica 2, changed. */
  function faultOf<Kind extends HotstuffRecord['kind']>(
    kind: Kind,
    change: (record: HotstuffRecord & { kind: Kind }) => HotstuffRecord,
  ): string | null {
    const isOf = (record: HotstuffRecord): record is HotstuffRecord & { kind: Kind } => record.kind === kind
    const record = bench
      .replica(2)
      .disk.map((one) => one.record)
      .findLast(isOf)!
    const ports = { hasher: simulatedHasher, verifier: bench.suite }
    const judge = (one: HotstuffRecord): string | null =>
      new HotstuffAuditor(new DirectoryFindings('replica-2', 2), bench.epoch, ports, new Witness()).judge(one)
    expect(judge(record)).toBeNull()
    return judge(change(record))
  }

  const forged = new Uint8Array(64)
  const withProposal = (change: Partial<VotedRecord['proposal']>) => () =>
    faultOf('voted', (record) => ({ ...record, proposal: { ...record.proposal, ...change } }))

  it.each<[string, () => string | null, RegExp]>([
    ['a proposal with a forged signature', withProposal({ signature: forged }), /has not signed/],
    ['a proposal with another payload', withProposal({ payload: new Uint8Array(5) }), /another payload/],
    [
      'a proposal on no certificate',
      withProposal({ justify: certificate({ votes: [] }) }),
      /that extends .* with too few/,
    ],
    [
      'a proposal that names another node than it extends',
      withProposal({ extended: genesisHeader(bench.epoch) }),
      /extends another node/,
    ],
    ['a proposal in a view without a reason', withProposal({ view: 99, timeouts: null }), /without a reason/],
    [
      'a timeout with a forged signature',
      () => faultOf('timeout', (one) => ({ ...one, timeout: { ...one.timeout, signature: forged } })),
      /replica 2 has not signed/,
    ],
    [
      'a timeout with another certificate than it names',
      () => faultOf('timeout', (one) => ({ ...one, timeout: { ...one.timeout, certificateView: 98 } })),
      /another certificate/,
    ],
    [
      'a timeout on a certificate of nobody',
      () =>
        faultOf('timeout', (one) => ({
          ...one,
          timeout: { ...one.timeout, certificateView: 98, certificate: certificate({ view: 98 }) },
        })),
      /on a certificate with too few/,
    ],
    [
      'timeouts of too few',
      () => faultOf('timeouts', (one) => ({ ...one, timeouts: { ...one.timeouts, timeouts: [] } })),
      /too few signatures/,
    ],
    [
      'timeouts that somebody has not signed',
      () => faultOf('timeouts', (one) => ({ ...one, timeouts: { ...one.timeouts, view: 97 } })),
      /a wrong signature/,
    ],
    [
      'timeouts beside a certificate of nobody',
      () => faultOf('timeouts', (one) => ({ ...one, certificate: certificate({ view: 98 }) })),
      /beside a certificate with too few/,
    ],
    ['a decision without its run', () => faultOf('decided', (one) => ({ ...one, certificates: [] })), /too few/],
    ['a decision of nothing', () => faultOf('decided', (one) => ({ ...one, headers: [] })), /of nothing/],
    [
      'a decision with another payload',
      () => faultOf('decided', (one) => ({ ...one, payload: new Uint8Array(5) })),
      /another payload/,
    ],
  ])('%s is a fault', (_, fault, words) => {
    expect(fault()).toMatch(words)
  })
})

function certificate(change: Partial<QuorumCertificate>): QuorumCertificate {
  return { view: 3, node: new Uint8Array(32), votes: [], ...change }
}
