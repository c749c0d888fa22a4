// Serves whoever lags with blocks that are certified and not decided. It makes some itself: a certificate that it keeps is one that the chain goes past.

import type { Block } from '../../../kernel/block.ts'
import type { DecisionProof, QuorumCertificate } from '../../../kernel/proof.ts'
import type { HotstuffMessage, Proposal } from '../../../protocols/hotstuff/messages.ts'
import { runLength } from '../../../protocols/hotstuff/rules.ts'
import type { Behaviour } from '../behaviour.ts'
import { drawShare } from '../victims.ts'
import { onceForEachView, remembering, type ChainMemory } from './chain-memory.ts'

interface Decided {
  block: Block
  proof: DecisionProof
}

function blockOf({ header, payload }: Proposal): Block {
  return { header, payload }
}

/** The node and certified ones that descend from it, of whatever views: as many as a commit asks for, if there are. */
function certifiedRun(memory: ChainMemory, node: Proposal, run: number): Proposal[] {
  const nodes = [node]
  while (nodes.length < run) {
    const child = memory.childrenOf(nodes.at(-1)!).find((one) => memory.certificateOf(one) !== null)
    if (child === undefined) break
    nodes.push(child)
  }
  return nodes
}

/** Its proof is as good as it can be made of what a quorum has signed: a run that does not commit, or one that is stretched until it is long enough. */
function orphanFor(memory: ChainMemory, { block, proof }: Decided, run: number, way: number): Decided | null {
  if (proof.kind !== 'hotstuff') return null
  const { pen } = memory
  const decided = new Set(proof.headers.map(({ view }) => view))
  const orphan = memory
    .nodes()
    .find((one) => one.header.height === block.header.height && !decided.has(one.view) && memory.certificateOf(one))
  if (orphan === undefined) return null
  const nodes = certifiedRun(memory, orphan, run)
  const headers = nodes.map((node) => pen.chained(node))
  const certificates = nodes.map((node) => memory.certificateOf(node)!)
  const offered = (all: QuorumCertificate[], chain = headers): Decided => ({
    block: blockOf(orphan),
    proof: { kind: 'hotstuff', headers: chain, certificates: all },
  })
  switch (way) {
    case 0:
      return offered(certificates)
    case 1: {
      // The last one again, as if it were another's.
      const missing = run - nodes.length
      const last = [headers.at(-1)!, certificates.at(-1)!] as const
      const again = Array.from({ length: missing }, () => last)
      return offered([...certificates, ...again.map(([, one]) => one)], [...headers, ...again.map(([one]) => one)])
    }
    case 2:
      // A decided run on top of it.
      return offered(proof.certificates, [headers[0]!, ...proof.headers.slice(1)])
    default:
      return { block: blockOf(orphan), proof }
  }
}

/** Nothing orphaned is known at its height: a proof that is too short, or of views that do not follow each other. */
function weakened({ block, proof }: Decided, way: number): Decided {
  if (proof.kind !== 'hotstuff') return { block, proof }
  const { headers, certificates } = proof
  if (way % 2 === 0) return { block, proof: { ...proof, certificates: certificates.slice(0, -1) } }
  return { block, proof: { ...proof, headers: headers.slice(0, -1), certificates: [...certificates].reverse() } }
}

export const orphanedBlocks: Behaviour<HotstuffMessage> = {
  name: 'orphaned-blocks',
  title: 'hands out blocks that are certified and orphaned, with proofs made of what a quorum has signed',
  create: (options) =>
    remembering(options, (memory) => {
      const { random, epoch } = options
      const lies = drawShare(random)
      const isDeaf = onceForEachView(() => random.chance(1, 2))
      const run = runLength(epoch.parameters)
      return {
        // Remembered all the same: the certificate is its own secret.
        receive: (message) => message.kind !== 'vote' || !isDeaf(message.view),
        send: (message, to, post) => post(to, message.kind === 'status' ? { ...message, servesFrom: 1 } : message),
        decided: (blocks) =>
          blocks.map((one) => {
            if (!lies()) return one
            const way = random.below(4)
            return orphanFor(memory, one, run, way) ?? weakened(one, way)
          }),
      }
    }),
}
