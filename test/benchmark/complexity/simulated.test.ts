// What the quiet world measures is what the closed forms say: whole replicas, where the tests of each protocol have cores alone.

import { describe, expect, it } from 'vitest'
import { blockCost, commitDelays, viewChangeMessages } from '../../../src/benchmark/complexity/closed-forms.ts'
import { simulatedCosts, simulatedLoneBlock } from '../../../src/benchmark/complexity/simulated.ts'
import { contenders } from '../../../src/benchmark/contenders.ts'
import { faultModelOf } from '../../../src/kernel/ids.ts'

const load = { operationsPerBlock: 3, operationBytes: 16, blocks: 2 }

describe.each(contenders)('$name', (contender) => {
  // Sizes between those that survive one fault more, too.
  const sizes = faultModelOf(contender.protocol) === 'crash' ? [3, 4, 5, 7] : [4, 5, 7, 10]

  it.each(sizes)('costs what the closed forms say (%i replicas)', (replicas) => {
    const { block, delays, change } = simulatedCosts(contender, replicas, load)
    const { bytes, apart, ...counts } = block
    expect(counts).toEqual(blockCost(contender, replicas))
    expect(bytes).toBeGreaterThan(blockCost(contender, replicas).messages * 10)
    // Nobody's timer has come between.
    expect(apart).toEqual({})
    expect(delays).toEqual(commitDelays(contender))
    // With one of four dead three-chain never decides again.
    if (contender.name === 'hotstuff/three-chain' && replicas === 4) return expect(change).toBe(null)
    expect(change!.messages).toBe(viewChangeMessages(contender, replicas))
    expect(change!.messagesInAll).toBeGreaterThan(change!.messages)
    expect(change!.delays).toBe({ raft: 9, pbft: 4, hotstuff: 6, 'hotstuff/three-chain': 8 }[contender.name])
  })
})

it.each([
  ['raft', 1, {}],
  ['pbft', 1, {}],
  ['hotstuff', 2, { newest: 3 }],
  ['hotstuff/three-chain', 3, { newest: 3 }],
])('a block on its own needs the empty ones that commit it: %s, %i', (name, blocks, apart) => {
  const contender = contenders.find((one) => one.name === name)!
  const alone = simulatedLoneBlock(contender, 4, load)
  const one = blockCost(contender, 4)
  expect(alone).toMatchObject({
    messages: blocks * one.messages,
    signaturesMade: blocks * one.signaturesMade,
    signaturesChecked: blocks * one.signaturesChecked,
    apart,
  })
})

it('a view change that waited for a heartbeat is no number of delays', () => {
  const pbft = contenders.find(({ name }) => name === 'pbft')!
  expect(simulatedCosts(pbft, 11, load).change!.delays).toBe(null)
})

it('a block costs the same however long the chains are that are compared', () => {
  const pbft = contenders.find(({ name }) => name === 'pbft')!
  const [short, long] = [2, 5].map((blocks) => simulatedCosts(pbft, 4, { ...load, blocks }).block)
  expect(short).toEqual(long)
})

it('bytes grow with what is ordered, by as much as each receiver gets of it', () => {
  const raft = contenders.find(({ name }) => name === 'raft')!
  const [small, large] = [16, 116].map((operationBytes) => simulatedCosts(raft, 3, { ...load, operationBytes }).block)
  expect(large!.bytes - small!.bytes).toBe(2 * 3 * 100)
})
