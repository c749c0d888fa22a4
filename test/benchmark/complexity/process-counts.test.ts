// Counting a network that is up, against one that is made up: when the first request goes out, what rest is, and what is counted of what.

import { describe, expect, it } from 'vitest'
import {
  countBlocks,
  loneBlocks,
  operationsOfShortChain,
  type Cluster,
  type ClusterStatus,
} from '../../../src/benchmark/complexity/process-counts.ts'
import { contenders } from '../../../src/benchmark/contenders.ts'
import { replicaId } from '../../../src/kernel/ids.ts'

const pbft = contenders.find(({ name }) => name === 'pbft')!
const none = { made: 0, checked: 0 }

/** Two replicas, of which each block costs the first 3 prepares of 10 bytes, one signature made and two checked. */
class MadeUp implements Cluster {
  readonly clients: Cluster['clients']
  blocks = 0
  /** Blocks of leaders that found nothing to propose. */
  emptyBlocks = 0
  looks = 0
  submittedAtLook: number | null = null
  /** Beside what blocks cost. */
  extraChecks = 0
  /** What replicas say, by the number of the look. */
  lie: (look: number, honest: ClusterStatus[]) => (ClusterStatus | null)[] = (_, honest) => honest
  looksMax = 1000
  readonly onBlock: (block: number) => void

  constructor(clients: number, onBlock: (block: number) => void = () => {}) {
    this.onBlock = onBlock
    this.clients = Array.from({ length: clients }, () => async () => {
      this.submittedAtLook ??= this.looks
      this.onBlock(++this.blocks)
    })
  }

  async statuses(): Promise<(ClusterStatus | null)[]> {
    return this.lie(
      ++this.looks,
      [1, 2].map((replica) => this.#status(replica)),
    )
  }

  async pause(): Promise<void> {
    if (this.looks >= this.looksMax) throw new Error('no patience any more')
  }

  #status(replica: number): ClusterStatus {
    const times = replica === 1 ? this.blocks : 0
    const sent = { prepare: { messages: 3 * times, bytes: 30 * times }, forward: { messages: times, bytes: times } }
    const protocol = { made: times, checked: 2 * times + (replica === 1 ? this.extraChecks : 0) }
    const signatures = { protocol, checkpoints: none, envelopes: none, fetching: none }
    return {
      replica: replicaId(replica),
      leader: replicaId(1),
      executedHeight: this.blocks + this.emptyBlocks,
      peers: [{ replica: replicaId(3 - replica), connected: true, refuses: null }],
      work: { framesSent: 0, bytesSent: 0, sent, signatures },
      log: { durable: 0, groups: 0, syncs: 0 },
    }
  }
}

const aBlock = { messages: 3, bytes: 30, signaturesMade: 1, signaturesChecked: 2, apart: { forward: 1 } }

describe('counting blocks', () => {
  it('takes a longer chain less a shorter one, and blocks on their own', async () => {
    const cluster = new MadeUp(4)
    const { blocks, empty, measured, lone } = await countBlocks(pbft, cluster, { for: '' })
    expect([blocks, empty]).toEqual([operationsOfShortChain, 0])
    expect(measured).toEqual(aBlock)
    expect(lone.measured).toEqual(Array.from({ length: loneBlocks }, () => aBlock))
    // Sessions, two chains, and those on their own.
    expect(cluster.blocks).toBe(4 + 3 * operationsOfShortChain + loneBlocks)
  })

  it('counts in each block on its own what came with it', async () => {
    const chains = 1 + 3 * operationsOfShortChain
    const cluster: MadeUp = new MadeUp(1, (block) => {
      if (block === chains + 2) cluster.extraChecks = 5
    })
    const { lone } = await countBlocks(pbft, cluster, { for: '' })
    expect(lone.measured.map(({ signaturesChecked }) => signaturesChecked).slice(0, 4)).toEqual([2, 7, 2, 2])
  })

  it('tells the empty blocks of the longer chain', async () => {
    const last = 1 + 3 * operationsOfShortChain
    const cluster: MadeUp = new MadeUp(1, (block) => {
      if (block >= last - 9 && block <= last) cluster.emptyBlocks++
    })
    const { blocks, empty, measured } = await countBlocks(pbft, cluster, { for: '' })
    expect([blocks, empty]).toEqual([operationsOfShortChain + 10, 10])
    expect(measured.messages).toBe((3 * operationsOfShortChain) / blocks)
  })

  it.each<[string, (honest: ClusterStatus[]) => (ClusterStatus | null)[]]>([
    ['all replicas to answer', ([one]) => [one!, null]],
    ['replica 2 to know a leader', ([one, two]) => [one!, { ...two!, leader: null }]],
    [
      'a link between replicas 2 and 1',
      ([one, two]) => [one!, { ...two!, peers: [{ replica: replicaId(1), connected: false, refuses: null }] }],
    ],
    [
      'a link between replicas 1 and 2',
      ([one, two]) => [
        { ...one!, peers: [{ replica: replicaId(2), connected: true, refuses: 'other-network' as never }] },
        two!,
      ],
    ],
  ])('sends nothing before links and leader are there: waits for %s', async (what, lie) => {
    const late = new MadeUp(2)
    late.lie = (look, honest) => (look <= 7 ? lie(honest) : honest)
    await countBlocks(pbft, late, { for: '' })
    expect(late.submittedAtLook).toBe(8)
    const never = new MadeUp(2)
    never.looksMax = 20
    never.lie = (_, honest) => lie(honest)
    const waiting = { for: '' }
    await expect(countBlocks(pbft, never, waiting)).rejects.toThrow('no patience')
    expect(waiting.for).toBe(what)
    expect(never.blocks).toBe(0)
  })

  it.each<[string, (look: number, honest: ClusterStatus[]) => (ClusterStatus | null)[]]>([
    ['one is behind', (_, [one, two]) => [one!, { ...two!, executedHeight: 0 }]],
    ['one does not answer', (_, [one]) => [one!, null]],
    [
      'votes are still checked',
      (look, [one, two]) => {
        const protocol = { made: 0, checked: look }
        return [one!, { ...two!, work: { ...two!.work, signatures: { ...two!.work.signatures, protocol } } }]
      },
    ],
    [
      'votes still go out',
      (look, [one, two]) => [
        one!,
        { ...two!, work: { ...two!.work, sent: { commit: { messages: look, bytes: look } } } },
      ],
    ],
  ])('is not at rest while %s', async (_, lie) => {
    const cluster = new MadeUp(2)
    cluster.looksMax = 30
    // From the second on: the first is the look for links.
    cluster.lie = (look, honest) => (look === 1 ? honest : lie(look, honest))
    const waiting = { for: '' }
    await expect(countBlocks(pbft, cluster, waiting)).rejects.toThrow('no patience')
    expect(waiting.for).toMatch(/^all replicas to be at rest at one height \(they stand at 2, (0|2|)\)$/)
  })

  it('looks four times before it believes that all is at rest', async () => {
    const cluster = new MadeUp(1)
    await countBlocks(pbft, cluster, { for: '' })
    // One for links; the sessions, two chains, and those on their own.
    expect(cluster.looks).toBe(1 + (3 + loneBlocks) * 4)
  })
})
