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
    const known = new Map<string, boolean>()
    const gone = [...this.#nodes.values()].filter((node) => node.key === root.key || !this.#mayStay(node, known))
    for (const node of gone) this.#drop(node)
    return gone.filter(({ key }) => key !== root.key)
  }

  /** It descends from the root, or something below it is not known yet that may. Nobody is asked twice in one move: a long chain may hang in the air. */
  #mayStay(node: ChainNode, known: Map<string, boolean>): boolean {
    const { block, view } = this.#root.header
    const way: ChainNode[] = []
    let at: ChainNode | undefined = node
    while (at !== undefined && at.parentKey !== this.#root.key && !known.has(at.key)) {
      way.push(at)
      at = this.#nodes.get(at.parentKey)
    }
    const lowest = way.at(-1) ?? node
    const mayHang = lowest.height > block.height + 1 && lowest.view > view
    const stays = at === undefined ? mayHang : (known.get(at.key) ?? true)
    for (const one of way) known.set(one.key, stays)
    return stays
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
