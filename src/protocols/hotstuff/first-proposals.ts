// The first proposal that each leader made in a view. By reputation a view may have two leaders, each for its own reason (node-header.ts).

import type { ReplicaId, View } from '../../kernel/ids.ts'
import type { ChainNode } from './tree.ts'

export class FirstProposals {
  readonly #of = new Map<View, ChainNode[]>()

  /** In the order in which they came. */
  of(view: View): readonly ChainNode[] {
    return this.#of.get(view) ?? []
  }

  by(leader: ReplicaId, view: View): ChainNode | undefined {
    return this.of(view).find((node) => node.leader === leader)
  }

  /** A later one of the same leader is none. */
  add(node: ChainNode): void {
    if (this.by(node.leader, node.view) === undefined) this.#of.set(node.view, [...this.of(node.view), node])
  }

  forget(node: ChainNode): void {
    const others = this.of(node.view).filter((one) => one !== node)
    if (others.length === 0) this.#of.delete(node.view)
    else this.#of.set(node.view, others)
  }

  forgetUpTo(view: View): void {
    for (const one of this.#of.keys()) if (one <= view) this.#of.delete(one)
  }
}
