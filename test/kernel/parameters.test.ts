// Goal: every parameter has a default inside its bounds, and no default moves by accident.

import { describe, expect, it } from 'vitest'
import { blockEnvelopesMax, payloadBytesMax } from '../../src/kernel/limits.ts'
import { defaultParameters, parameterBounds } from '../../src/kernel/parameters.ts'

interface Bound {
  default: number | boolean | string
  min?: number
  max?: number
  choices?: readonly string[]
}

const all = Object.entries(parameterBounds).flatMap(([group, bounds]) =>
  Object.entries(bounds as Record<string, Bound>).map(([name, bound]) => [`${group}.${name}`, bound] as const),
)

describe('the parameters', () => {
  it.each(all)('%s has a default inside its bounds', (_name, { default: value, min, max, choices }) => {
    if (typeof value === 'string') return expect(choices).toContain(value)
    if (typeof value === 'boolean') {
      expect([min, max]).toEqual([undefined, undefined])
      return
    }
    expect([value, min, max].every((one) => Number.isSafeInteger(one))).toBe(true)
    expect(min!).toBeLessThan(max!)
    expect(value).toBeGreaterThanOrEqual(min!)
    expect(value).toBeLessThanOrEqual(max!)
  })

  it('allow no block that could not be encoded', () => {
    expect(parameterBounds.batch.bytesMax.max).toBeLessThanOrEqual(payloadBytesMax)
    expect(parameterBounds.batch.operationsMax.max).toBeLessThanOrEqual(blockEnvelopesMax)
  })

  it('have the defaults that networks rely on', () => {
    // The id of a network leaves out what has its default, so that these numbers are part of the format of network files: a change
    // of one needs a new version of the format.
    const { envelopeSignatures, ...defaults } = defaultParameters('link')
    expect(envelopeSignatures).toBe('link')
    expect(defaults).toEqual({
      batch: { operationsMax: 1000, bytesMax: 1_048_576, lingerMs: 10 },
      flow: { pipelineBlocksMax: 16, executionLagBlocksMax: 128 },
      timers: { timeoutMsBase: 1000, timeoutMsMax: 20_000, heartbeatMs: 100, retransmitMs: 250 },
      sessions: { repliesKept: 1024, lifetimeHeights: 100_000, perClientMax: 16, totalMax: 65_536 },
      checkpoints: { intervalHeights: 128 },
      raft: {
        inflightEntriesMax: 64,
        inflightBytesMax: 8_388_608,
        preVote: true,
        checkQuorum: true,
        leaseDriftPerMille: 0,
      },
      pbft: { windowBlocks: 160, clockToleranceMs: 5_000 },
      hotstuff: { rule: 'two-chain', leaders: 'round-robin', tenureViews: 4, clockToleranceMs: 5_000 },
    })
  })

  it('are made anew for each epoch', () => {
    const one = defaultParameters('required')
    one.timers.heartbeatMs = 1
    one.raft.preVote = false
    expect(defaultParameters('required').timers.heartbeatMs).toBe(100)
    expect(defaultParameters('required').raft.preVote).toBe(true)
    expect(parameterBounds.timers.heartbeatMs.default).toBe(100)
  })
})
