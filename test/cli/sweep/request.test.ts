// Goal: what is asked of liars is possible, or refused in a sentence before a seed runs; and a failure's replay asks for the same.

import { describe, expect, it } from 'vitest'
import { simCommand } from '../../../src/cli/commands/sim.ts'
import { parseOptions, UsageError } from '../../../src/cli/options.ts'
import { createOutput } from '../../../src/cli/output.ts'
import { readRequest, type SimRequest } from '../../../src/cli/sweep/request.ts'
import { asJson, print, type SweepResult } from '../../../src/cli/sweep/result.ts'
import { emptySummary } from '../../../src/cli/sweep/summary.ts'
import { behaviourNames } from '../../../src/simulator/protocols.ts'

const read = (...args: string[]): SimRequest => readRequest(parseOptions(simCommand.spec, args))

describe('liars', () => {
  it('are drawn where nothing is said', () => {
    expect(read('--protocol', 'pbft').sweep).toEqual({ protocol: 'pbft', replicas: 4, faults: 'all' })
  })

  it('are as many, and lie as, asked', () => {
    const args = ['--protocol', 'pbft', '--replicas', '7', '--adversaries', '2', '--behaviour', 'silent']
    expect(read(...args).sweep).toMatchObject({ replicas: 7, adversaries: 2, behaviour: 'silent' })
    expect(read('--adversaries', '0').sweep).toEqual({ protocol: 'raft', replicas: 3, faults: 'all', adversaries: 0 })
  })

  it.each([
    [['--adversaries', '1'], '--adversaries is 1, and 3 replicas of raft survive 0: give at most 0'],
    [
      ['--protocol', 'pbft', '--adversaries', '2'],
      '--adversaries is 2, and 4 replicas of pbft survive 1: give at most 1',
    ],
    [['--behaviour', 'silent'], '--behaviour is for replicas that lie, and 3 of raft survive none'],
    [
      ['--protocol', 'pbft', '--replicas', '3', '--behaviour', 'silent'],
      '--behaviour is for replicas that lie, and 3 of pbft survive none',
    ],
  ])('are refused: %j', (args, words) => {
    expect(() => read(...args)).toThrow(new UsageError(words))
  })

  it('have names, and a misspelt one is found', () => {
    expect(behaviourNames('pbft').length).toBeGreaterThan(20)
    expect(() => read('--protocol', 'pbft', '--behaviour', 'silend')).toThrow(/did you mean silent\?/)
  })
})

describe('the rule that commits', () => {
  it('is the default of a network file, or the one that is asked for', () => {
    expect(read('--protocol', 'hotstuff').sweep).not.toHaveProperty('rule')
    expect(read('--protocol', 'hotstuff', '--rule', 'three-chain').sweep).toMatchObject({ rule: 'three-chain' })
  })

  it('is refused where there is one, or where it is not known', () => {
    expect(() => read('--rule', 'two-chain')).toThrow(/--rule is for hotstuff, and raft has one rule/)
    expect(() => read('--protocol', 'hotstuff', '--rule', 'one-chain')).toThrow(/--rule is one-chain/)
  })
})

describe('a result', () => {
  const result: SweepResult = {
    summary: {
      ...emptySummary(),
      violated: 1,
      failures: [{ seed: 7, invariant: 'agreement', explanation: 'two blocks at one height' }],
    },
    state: 'complete',
    minima: [],
  }
  const printed = (request: SimRequest): string => {
    const lines: string[] = []
    print(request, result, { ...createOutput(), out: (line) => void lines.push(line) })
    return lines.join('\n')
  }

  it('replays with the liars that were asked for, and with no others', () => {
    const asked = read('--protocol', 'pbft', '--adversaries', '1', '--behaviour', 'silent')
    expect(printed(asked)).toContain('--faults all --adversaries 1 --behaviour silent --seed 7 --trace -')
    expect(printed(read('--protocol', 'pbft'))).toContain('--faults all --seed 7 --trace -')
  })

  it('replays with the rule that was asked for, and records which it was', () => {
    const asked = read('--protocol', 'hotstuff', '--rule', 'three-chain')
    expect(printed(asked)).toContain('--faults all --rule three-chain --seed 7 --trace -')
    expect(asJson(asked, result)).toMatchObject({ rule: 'three-chain' })
    expect(asJson(read('--protocol', 'hotstuff'), result)).toMatchObject({ rule: 'two-chain' })
    expect(asJson(read(), result)).not.toHaveProperty('rule')
  })

  it('records who lied, where members may', () => {
    expect(asJson(read('--protocol', 'pbft'), result)).toMatchObject({ adversaries: 'drawn', behaviour: 'drawn' })
    const asked = read('--protocol', 'pbft', '--adversaries', '1')
    expect(asJson(asked, result)).toMatchObject({ adversaries: 1, behaviour: 'drawn' })
    expect(asJson(read(), result)).not.toHaveProperty('adversaries')
  })
})
