// The good case costs 2(n−1) messages a block (protocols.md): the mean over 100 consecutive full blocks with a steady leader and
// everyone up. Heartbeats, the flush of an idle pipeline among them, are another kind of message and counted apart.

import { describe, expect, it } from 'vitest'
import { blockCost } from '../../../src/benchmark/complexity/closed-forms.ts'
import { Bench, type Sent } from './bench.ts'

const blocks = 100

function countBlocks(voters: number, pipelineBlocksMax: number): { ordering: Sent[]; other: Sent[] } {
  const bench = new Bench({
    voters,
    parameters: { batch: { operationsMax: 10, lingerMs: 5 }, flow: { pipelineBlocksMax } },
  })
  bench.start().elect(1)
  const leader = bench.replica(1)
  // A block before and a block after, so that the pipeline is neither empty nor idle while we count.
  const requests = Array.from({ length: 10 * (blocks + 2) }, (_, index) => `${index}`)
  leader.propose(...requests.slice(0, 10))
  bench.settle()
  const before = bench.sent.length
  leader.propose(...requests.slice(10, 10 * (blocks + 1)))
  bench.settle()
  for (const replica of bench.replicas) expect(replica.texts).toEqual(requests.slice(0, 10 * (blocks + 1)))
  const sent = bench.sent.slice(before)
  const isOrdering = ({ message }: Sent): boolean => message.kind === 'append' || message.kind === 'append-answer'
  return { ordering: sent.filter(isOrdering), other: sent.filter((one) => !isOrdering(one)) }
}

describe.each([3, 5, 7])('with %i replicas', (voters) => {
  it.each([1, 4, 16])('a block costs exactly 2(n-1) messages, %i blocks in flight', (pipelineBlocksMax) => {
    const { ordering, other } = countBlocks(voters, pipelineBlocksMax)
    expect(ordering.length / blocks).toBe(blockCost({ protocol: 'raft' }, voters).messages)
    // One flush, asked and answered, when the pipeline has emptied.
    expect(other.map(({ message }) => message.kind).sort()).toEqual([
      ...Array.from({ length: voters - 1 }, () => 'heartbeat'),
      ...Array.from({ length: voters - 1 }, () => 'heartbeat-answer'),
    ])
  })
})

it('an idle network sends heartbeats only, one and its answer for each follower', () => {
  const bench = new Bench({ voters: 5 }).start().elect(1)
  const before = bench.sent.length
  bench.elapse(10_000)
  const sent = bench.sent.slice(before)
  expect(new Set(sent.map(({ message }) => message.kind))).toEqual(new Set(['heartbeat', 'heartbeat-answer']))
  expect(sent.length).toBe(100 * 2 * 4)
})

it('a lone request costs one append and one flush for each follower, and their answers', () => {
  const bench = new Bench({ voters: 3 }).start().elect(1)
  const before = bench.sent.length
  bench.replica(1).propose('a')
  bench.settle()
  expect(bench.sent.slice(before)).toHaveLength(2 * 2 + 2 * 2)
})
