// The nodes above the last decided one, as far as they are known: a tree, because leaders may lie, and views may be given up. Bounded, and pruned
// with each decision.

import { toHex } from '../../kernel/hex.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import type { Height, ReplicaId, View } from '../../kernel/ids.ts'
import type { ChainedHeader } from '../../kernel/proof.ts'
import type { Persisted } from '../../kernel/protocol.ts'
import type { Proposal } from './messages.ts'

/** Nodes in memory. */
export const treeNodesMax = 1024
/** Payloads of them. */
export const treeBytesMax: number = 64 * 1024 * 1024
/** Nodes on one way that are not decided: nothing is proposed or voted for beyond. Below what a decision proof can hold. */
export const chainNodesMax = 512
/** The last ones of them are for runs that are likely to commit: else nothing is proposed there (prospects.ts). */
export const chainNodesReserved = 256

/** The last decided node, or the one that a fetched state ends with. */
export interface Root {
  readonly key: string
  readonly digest: Digest
  readonly header: ChainedHeader
}

export interface ChainNode {
  readonly key: string
  readonly parentKey: string
  readonly digest: Digest
  readonly view: View
  readonly height: Height
  /** All that its digest is made of. */
  readonly header: ChainedHeader
  /** Of its view, as it is justified. */
  readonly leader: ReplicaId
  /** As its leader said it, with a certificate that holds. */
  readonly proposal: Proposal
  readonly sinceMs: number
  readonly isEmpty: boolean
  /** Its envelopes were checked, by the host or by a quorum that certified it. Null: not yet; false: nobody correct votes for it. */
  valid: boolean | null
  /** The record that has its payload. */
  persisted: Persisted | null
  /** The pool knows that a block has its requests. */
  held: boolean
}

export class Tree {
  #root: Root
  readonly #nodes = new Map<string, ChainNode>()
  #bytes = 0

  constructor(root: Root) {
    this.#root = root
  }

  get root(): Root {
    return this.#root
  }

  get size(): number {
    return this.#nodes.size
  }

  all(): Iterable<ChainNode> {
    return this.#nodes.values()
  }

  get(digest: Digest): ChainNode | null {
    return this.#nodes.get(toHex(digest)) ?? null
  }

  isRoot(digest: Digest): boolean {
    return toHex(digest) === this.#root.key
  }

  /** Header of a node or of the root. */
  headerOf(key: string): ChainedHeader | null {
    return key === this.#root.key ? this.#root.header : (this.#nodes.get(key)?.header ?? null)
  }

  /** From the root's child up to this node; null where something between is not known. */
  path(node: ChainNode): ChainNode[] | null {
    const path: ChainNode[] = []
    let at: ChainNode | undefined = node
    while (at !== undefined) {
      path.push(at)
      if (at.parentKey === this.#root.key) return path.reverse()
      at = this.#nodes.get(at.parentKey)
    }
    return null
  }

  /** The node and those below it, as far as they are known, downwards; no more than so many. */
  descent(node: ChainNode, most: number): ChainNode[] {
    const nodes: ChainNode[] = []
    for (let at: ChainNode | undefined = node; at !== undefined && nodes.length < most;) {
      nodes.push(at)
      at = this.#nodes.get(at.parentKey)
    }
    return nodes
  }

  /** Null: there is no room, and nothing that may go. Else what had to go. `kept`: what must stay. */
  add(node: ChainNode, kept: ReadonlySet<string>): ChainNode[] | null {
    const bytes = node.proposal.payload.length
    const gone: ChainNode[] = []
    while (this.#nodes.size >= treeNodesMax || this.#bytes + bytes > treeBytesMax) {
      const lowest = this.#lowest(kept)
      if (lowest === null) return null
      this.#drop(lowest)
      gone.push(lowest)
    }
    this.#nodes.set(node.key, node)
    this.#bytes += bytes
    return gone
  }

  /** The root moves up: whatever does not descend from it is returned, and gone. */
  moveTo(root: Root): ChainNode[] {
    this.#root = root
    const reaches = new Map<string, boolean>([[root.key, true]])
    const orphans: ChainNode[] = []
    for (const node of [...this.#nodes.values()]) {
      if (node.key !== root.key && (this.#reaches(node, reaches) || this.#mayReach(node))) continue
      this.#drop(node)
      if (node.key !== root.key) orphans.push(node)
    }
    return orphans
  }

  /** Something below it is not known yet, and may descend from the root. */
  #mayReach(node: ChainNode): boolean {
    const { height, view } = this.#rootPlace
    let at: ChainNode = node
    for (;;) {
      if (at.height <= height || at.view <= view) return false
      const parent = this.#nodes.get(at.parentKey)
      if (parent === undefined) return at.height > height + 1
      at = parent
    }
  }

  get #rootPlace(): { height: Height; view: View } {
    const { block, view } = this.#root.header
    return { height: block.height, view }
  }

  #reaches(node: ChainNode, known: Map<string, boolean>): boolean {
    const way: string[] = []
    let at: ChainNode | undefined = node
    let reaches = false
    while (at !== undefined) {
      const answer = known.get(at.key)
      if (answer !== undefined) {
        reaches = answer
        break
      }
      way.push(at.key)
      if (at.parentKey === this.#root.key) {
        reaches = true
        break
      }
      at = this.#nodes.get(at.parentKey)
    }
    for (const key of way) known.set(key, reaches)
    return reaches
  }

  #lowest(kept: ReadonlySet<string>): ChainNode | null {
    let lowest: ChainNode | null = null
    for (const node of this.#nodes.values()) {
      if (!kept.has(node.key) && (lowest === null || node.view < lowest.view)) lowest = node
    }
    return lowest
  }

  #drop(node: ChainNode): void {
    if (!this.#nodes.delete(node.key)) return
    this.#bytes -= node.proposal.payload.length
  }
}
