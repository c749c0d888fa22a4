// Goal: a run is let off only where the rule can never commit with the leaders that stand, and a healed core has as long as turns take.

import { describe, expect, it } from 'vitest'
import { replicaId, type ReplicaId } from '../../src/kernel/ids.ts'
import type { Epoch } from '../../src/kernel/membership.ts'
import { defaultParameters, type HotstuffParameters } from '../../src/kernel/parameters.ts'
import { epochOf } from './epochs.ts'
import { hasRunOfLeaders, livenessBoundMs, livenessTimeouts } from '../../src/simulator/leader-turns.ts'

function turnsOf(replicas: number, changes: Partial<HotstuffParameters> = {}): Epoch {
  const epoch = epochOf('hotstuff', replicas)
  const { parameters } = epoch
  return { ...epoch, parameters: { ...parameters, hotstuff: { ...parameters.hotstuff, ...changes } } }
}

function allBut(replicas: number, ...lost: number[]): ReplicaId[] {
  return Array.from({ length: replicas }, (_, index) => replicaId(index + 1)).filter((id) => !lost.includes(id))
}

describe('a run of leaders', () => {
  it.each([1, 2, 3, 4])(
    'is there under two-chain with replica %i of four lost, and under three-chain is not',
    (lost) => {
      expect(hasRunOfLeaders(turnsOf(4), allBut(4, lost))).toBe(true)
      expect(hasRunOfLeaders(turnsOf(4, { rule: 'three-chain' }), allBut(4, lost))).toBe(false)
    },
  )

  it('is there under three-chain with all four, or with four views a turn', () => {
    expect(hasRunOfLeaders(turnsOf(4, { rule: 'three-chain' }), allBut(4))).toBe(true)
    expect(hasRunOfLeaders(turnsOf(4, { rule: 'three-chain', leaders: 'tenure', tenureViews: 4 }), allBut(4, 2))).toBe(
      true,
    )
  })

  it('is four of seven in a row, wherever the round begins', () => {
    const three = turnsOf(7, { rule: 'three-chain' })
    expect(hasRunOfLeaders(three, allBut(7, 3, 4))).toBe(true)
    expect(hasRunOfLeaders(three, allBut(7, 1, 4))).toBe(false)
    expect(hasRunOfLeaders(three, allBut(7, 1, 7))).toBe(true)
  })

  it('is not asked of others', () => {
    expect(hasRunOfLeaders(epochOf('pbft', 4), [])).toBe(true)
  })
})

describe('the bound on recovery', () => {
  const { timeoutMsBase, timeoutMsMax } = defaultParameters('required').timers

  it('is a number of capped timeouts where one leads until it fails', () => {
    expect(livenessBoundMs(epochOf('pbft', 4), 1000)).toBe(livenessTimeouts * timeoutMsMax)
  })

  it('grows by a rotation for as many blocks as a rotation brings', () => {
    // A lost leader costs its own view and the one before, whose votes go to it; of three blocks the last is lost, and one to a liar.
    const rotationMs = 3 * timeoutMsBase
    const one = turnsOf(4)
    one.parameters.batch.operationsMax = 10
    const [few, more] = [livenessBoundMs(one, 10), livenessBoundMs(one, 20)]
    expect(few).toBe(livenessTimeouts * timeoutMsMax + 3 * rotationMs)
    expect(more - few).toBe(rotationMs)
  })

  it('has timeouts that double over whoever leads between two that fail', () => {
    // Four views of seven: each that fails, and the one before each, whose votes go to it.
    const rotationMs = (1 + 2 + 4 + 8) * timeoutMsBase
    expect(rotationMs).toBeLessThan(4 * timeoutMsMax)
    expect(livenessBoundMs(turnsOf(7), 1)).toBe(livenessTimeouts * timeoutMsMax + 3 * rotationMs)
  })

  it('grows with the views of a turn', () => {
    const tenure = turnsOf(4, { leaders: 'tenure', tenureViews: 2 })
    // 1 + 2 + 4 timeouts for two lost views and the one before; four blocks a rotation.
    expect(livenessBoundMs(tenure, 1)).toBe(livenessTimeouts * timeoutMsMax + 3 * 7 * timeoutMsBase)
  })
})
