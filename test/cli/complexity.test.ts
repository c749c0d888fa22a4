// `quorate complexity` as its users have it; and what it says when something is not as it should be.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plotsOf } from '../../src/benchmark/complexity/plots.ts'
import { rowOf, type ComplexityReport } from '../../src/benchmark/complexity/report.ts'
import { contenders } from '../../src/benchmark/contenders.ts'
import { complexityTables } from '../../src/cli/complexity-tables.ts'
import { buildCli, type BuiltCli } from './built-cli.ts'

const load = { operationsPerBlock: 10, operationBytes: 16, blocks: 2 }
const pbft = contenders.find(({ name }) => name === 'pbft')!
const block = { messages: 24, bytes: 5000, signaturesMade: 8, signaturesChecked: 16, apart: {} }
const change = { messages: 12, bytes: 4000, signaturesMade: 16, signaturesChecked: 38, messagesInAll: 45, delays: 4 }
const costs = { block, delays: { first: 3, last: 3 }, change }

describe('a row', () => {
  it('differs in nothing where all is as it should be, and else says in what', () => {
    expect(rowOf(pbft, 4, costs, null).differences).toEqual([])
    const wrong = { ...costs, block: { ...block, messages: 25, signaturesChecked: 15 }, delays: { first: 3, last: 4 } }
    expect(rowOf(pbft, 4, wrong, null).differences).toEqual([
      'messages a block: 25 in the simulator, and 24 by the closed form',
      'signatures checked for a block: 15 in the simulator, and 16 by the closed form',
      'delays where a commit is known last: 4 in the simulator, and 3 by the closed form',
    ])
    const dearer = { ...costs, change: { ...change, messages: 13 }, block: { ...block, signaturesMade: 9 } }
    expect(rowOf(pbft, 4, dearer, null).differences).toHaveLength(2)
    expect(rowOf(pbft, 4, { ...costs, delays: { first: 2, last: 3 } }, null).differences).toHaveLength(1)
    // What never decides again has no view change to count.
    expect(rowOf(pbft, 4, { ...costs, change: null }, null).differences).toEqual([])
  })

  const lone = { measured: [block, block], simulated: block }
  const processes = { blocks: 160, empty: 0, measured: block, simulated: block, lone }

  it('holds real processes to the simulator', () => {
    const { differences, notes } = rowOf(pbft, 4, costs, processes)
    expect(differences).toEqual([])
    expect(notes).toEqual(['2 of 2 blocks on their own cost exactly what they cost in the simulator'])
    const measured = { ...block, messages: 23, bytes: 1, signaturesMade: 2, signaturesChecked: 3 }
    expect(rowOf(pbft, 4, costs, { ...processes, measured }).differences).toHaveLength(4)
    const odd = { ...lone, measured: [block, { ...block, bytes: 4999 }] }
    expect(rowOf(pbft, 4, costs, { ...processes, lone: odd }).differences).toEqual([
      'bytes of a block on its own: 4,999 on processes, and 5,000 in the simulator',
    ])
  })

  it('says what lateness explains, once for each reason, and what no count has', () => {
    const late = { ...block, signaturesChecked: 17 }
    const measured = { ...block, signaturesChecked: 16.5, apart: { forward: 0.25, heartbeat: 2 } }
    const some = { ...processes, measured, lone: { ...lone, measured: [late, block, late] } }
    const { differences, notes } = rowOf(pbft, 4, costs, some)
    expect(differences).toEqual([])
    expect(notes).toEqual([
      '1 of 3 blocks on their own cost exactly what they cost in the simulator',
      'in no count, because they order nothing; for a block: 0.25 forward, 2 heartbeat',
      'whoever has a quorum of commits from others before its own checks one more (signatures checked of a block: 16.5 on processes, and 16 in the simulator; signatures checked of a block on its own: 17 on processes, and 16 in the simulator)',
    ])
  })

  it('says why there are no figures of processes', () => {
    const { differences, processes: real } = rowOf(pbft, 4, costs, { givenUp: 'given up after 1 s' })
    expect([differences, real]).toEqual([['no figures of real processes: given up after 1 s'], null])
  })

  it('is marked where it differs, in every table', () => {
    const real = {
      ...processes,
      measured: { ...block, bytes: 5001 },
      lone: { ...lone, measured: [block, costs.block, { ...block, bytes: 1 }] },
    }
    const wrong = { ...costs, block: { ...block, messages: 25 }, change: { ...change, messages: 13 } }
    const report: ComplexityReport = {
      schema: 'quorate-complexity/1',
      load,
      rows: [rowOf(pbft, 4, wrong, real), rowOf(pbft, 4, { ...costs, change: null }, null)],
    }
    const [blocks, changes, onProcesses] = complexityTables(report).map(({ lines }) => lines)
    expect(blocks![1]).toMatch(/^pbft\s+4\s+1\s+25\*/)
    expect(blocks![2]).toMatch(/^pbft\s+4\s+1\s+24\s/)
    expect(changes![1]).toMatch(/^pbft\s+4\s+1\s+13\*/)
    expect(changes![2]).toMatch(/never/)
    expect(onProcesses).toHaveLength(2)
    expect(onProcesses![1]).toMatch(/5,001\*.* 2 of 3$/)
    const unsigned = rowOf(pbft, 4, { ...costs, block: { ...block, signaturesChecked: 0 } }, null)
    expect(plotsOf({ ...report, rows: [unsigned] })[2]!.lines[0]!.points).toEqual([])
    // What is not there, and 0 on a logarithmic axis, is left out.
    expect(plotsOf(report).map(({ lines }) => lines.flatMap(({ points }) => points).length)).toEqual([2, 2, 2, 1, 1])
  })
})

describe('the command', () => {
  let cli: BuiltCli
  beforeAll(() => (cli = buildCli()))
  afterAll(() => cli.remove())

  it('counts, writes what it has counted, and overwrites nothing', async () => {
    const args = ['complexity', '--protocols', 'raft,hotstuff', '--n', '3..4', '--operations', '5', '--out', 'costs']
    const { code, out, error } = await cli.run(...args)
    expect([code, error]).toEqual([0, ''])
    expect(out).toMatch(/^raft\s+3\s+1\s+4\s/m)
    expect(out).toMatch(/^hotstuff\/three-chain\s+4\s+1\s+6\s.*6, 7$/m)
    expect(out).toContain('Everything counted is what it should be.')
    const report = JSON.parse(readFileSync(join(cli.folder, 'costs/complexity.json'), 'utf8')) as ComplexityReport
    expect(report.schema).toBe('quorate-complexity/1')
    expect(report.rows.map(({ name, replicas }) => `${name} ${replicas}`)).toEqual([
      ...['raft 3', 'raft 4', 'hotstuff 4', 'hotstuff/three-chain 4'],
    ])
    expect(readFileSync(join(cli.folder, 'costs/complexity.svg'), 'utf8')).toContain('Messages of a view change')
    expect(existsSync(join(cli.folder, 'costs/complexity.png'))).toBe(true)
    const again = await cli.run(...args)
    expect([again.code, again.error]).toEqual([1, expect.stringContaining('is not overwritten')])
  })

  it('prints one JSON object and nothing else, if asked to', async () => {
    const { code, out } = await cli.run('complexity', '--protocols', 'raft', '--n', '3', '--json', '--blocks', '1')
    expect([code, out.trim().split('\n').length]).toEqual([0, 1])
    expect((JSON.parse(out) as ComplexityReport).rows[0]!.simulated.block.messages).toBe(4)
  })

  it.each([
    [['--n', '7..4'], '--n is 7..4'],
    [['--n', '2'], '--n is 2'],
    [['--protocols', 'paxos'], '--protocols names paxos'],
    [['--protocols', 'pbft', '--n', '3'], 'need 4 replicas at least'],
    [['--processes', '99'], '--processes is 99'],
    [['raft'], 'raft is not an option'],
  ])('refuses %j', async (args, sentence) => {
    const { code, error } = await cli.run('complexity', ...args)
    expect([code, error]).toEqual([2, expect.stringContaining(sentence)])
  })
})
