/**
 * An ordered map from strings, as a B+ tree whose nodes are copied when they are changed after a view of them was taken. A view costs
 * nothing when it is taken; afterwards each node is copied at most once for each view.
 *
 * Its shape depends on the history of changes; nothing that is agreed on may depend on its shape. Keys compare by UTF-16 code unit,
 * which for Latin-1 strings is the order of the bytes.
 */

interface Leaf<Value> {
  readonly leaf: true
  readonly generation: number
  readonly keys: string[]
  readonly values: Value[]
}

interface Branch<Value> {
  readonly leaf: false
  readonly generation: number
  /** keys[i] is above all keys of children[i] and not above any of children[i + 1]. */
  readonly keys: string[]
  readonly children: Node<Value>[]
}

type Node<Value> = Leaf<Value> | Branch<Value>

const nodeEntriesMax = 64
/** A node below this is joined with a neighbour where the two fit in one. */
const nodeEntriesMin = 16

/** The first child whose keys may be at or above the key. */
function childIndex(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (key < keys[middle]!) high = middle
    else low = middle + 1
  }
  return low
}

/** Where the key is, or where it would be. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

/** What an ordered map is at one moment. */
export class OrderedView<Value> {
  readonly #root: Node<Value>

  constructor(root: Node<Value>) {
    this.#root = root
  }

  get(key: string): Value | undefined {
    let node = this.#root
    while (!node.leaf) node = node.children[childIndex(node.keys, key)]!
    const at = lowerBound(node.keys, key)
    return node.keys[at] === key ? node.values[at] : undefined
  }

  /** From a key on, in order, to before another one, or to the end. Of a view it may run on while the map is changed. */
  *range(from: string, to: string | null = null): Generator<[string, Value]> {
    for (const leaf of leavesFrom(this.#root, from)) {
      for (let at = lowerBound(leaf.keys, from); at < leaf.keys.length; at++) {
        const key = leaf.keys[at]!
        if (to !== null && key >= to) return
        yield [key, leaf.values[at]!]
      }
    }
  }

  /** The entry with the highest key that is not above this one. */
  floor(key: string): [string, Value] | null {
    return floorIn(this.#root, key)
  }
}

function* leavesFrom<Value>(node: Node<Value>, from: string): Generator<Leaf<Value>> {
  if (node.leaf) {
    yield node
    return
  }
  for (let at = childIndex(node.keys, from); at < node.children.length; at++) {
    yield* leavesFrom(node.children[at]!, from)
  }
}

function floorIn<Value>(node: Node<Value>, key: string): [string, Value] | null {
  if (node.leaf) {
    const at = lowerBound(node.keys, key)
    const found = node.keys[at] === key ? at : at - 1
    return found < 0 ? null : [node.keys[found]!, node.values[found]!]
  }
  // A child may hold nothing at or below the key, although its separator is: then its left neighbour does.
  for (let at = childIndex(node.keys, key); at >= 0; at--) {
    const found = floorIn(node.children[at]!, key)
    if (found !== null) return found
  }
  return null
}

export class OrderedMap<Value> {
  #generation = 0
  #root: Node<Value> = { leaf: true, generation: 0, keys: [], values: [] }
  #size = 0
  /** Where `get` found its last key: whoever reads an entry mostly writes it next. Void once a leaf's entries have moved. */
  #foundKey: string | null = null
  #foundLeaf: Leaf<Value> | null = null
  #foundAt = 0

  get size(): number {
    return this.#size
  }

  get(key: string): Value | undefined {
    let node = this.#root
    while (!node.leaf) node = node.children[childIndex(node.keys, key)]!
    const at = lowerBound(node.keys, key)
    if (node.keys[at] !== key) return undefined
    this.#foundKey = key
    this.#foundLeaf = node
    this.#foundAt = at
    return node.values[at]
  }

  floor(key: string): [string, Value] | null {
    return floorIn(this.#root, key)
  }

  /** In order. Unlike a view's it must not run on when the map was changed. */
  range(from: string, to: string | null = null): Generator<[string, Value]> {
    return new OrderedView(this.#root).range(from, to)
  }

  /** The map as it is now; later changes do not reach it. */
  view(): OrderedView<Value> {
    this.#generation++
    return new OrderedView(this.#root)
  }

  /** Returns what the key had before. */
  set(key: string, value: Value): Value | undefined {
    const found = this.#foundLeaf
    if (key === this.#foundKey && found!.generation === this.#generation) {
      const before = found!.values[this.#foundAt]
      found!.values[this.#foundAt] = value
      return before
    }
    this.#foundKey = null
    this.#root = this.#own(this.#root)
    const before = this.#insert(this.#root, key, value)
    if (before === undefined) this.#size++
    if (entries(this.#root) > nodeEntriesMax) {
      const [right, separator] = this.#split(this.#root, key)
      this.#root = {
        leaf: false,
        generation: this.#generation,
        keys: [separator],
        children: [this.#root, right],
      }
    }
    return before
  }

  /** Returns what the key had. */
  delete(key: string): Value | undefined {
    if (this.get(key) === undefined) return undefined
    this.#foundKey = null
    this.#root = this.#own(this.#root)
    const before = this.#remove(this.#root, key)
    this.#size--
    if (!this.#root.leaf && this.#root.children.length === 1) this.#root = this.#root.children[0]!
    return before
  }

  #insert(node: Node<Value>, key: string, value: Value): Value | undefined {
    if (node.leaf) {
      const at = lowerBound(node.keys, key)
      if (node.keys[at] === key) {
        const before = node.values[at]
        node.values[at] = value
        return before
      }
      node.keys.splice(at, 0, key)
      node.values.splice(at, 0, value)
      return undefined
    }
    const at = childIndex(node.keys, key)
    const child = this.#ownChild(node, at)
    const before = this.#insert(child, key, value)
    if (entries(child) > nodeEntriesMax) {
      const [right, separator] = this.#split(child, key)
      node.keys.splice(at, 0, separator)
      node.children.splice(at + 1, 0, right)
    }
    return before
  }

  /** The key is there. */
  #remove(node: Node<Value>, key: string): Value | undefined {
    if (node.leaf) {
      const at = lowerBound(node.keys, key)
      node.keys.splice(at, 1)
      return node.values.splice(at, 1)[0]
    }
    const at = childIndex(node.keys, key)
    const child = this.#ownChild(node, at)
    const before = this.#remove(child, key)
    if (entries(child) < nodeEntriesMin) this.#join(node, at === 0 ? 0 : at - 1)
    return before
  }

  /** Moves the upper half of a node to a new one; of a leaf that grew at its end, the last entry alone: what comes in order fills leaves. */
  #split(node: Node<Value>, key: string): [Node<Value>, string] {
    const { generation } = node
    if (node.leaf) {
      const { length } = node.keys
      const half = key === node.keys[length - 1] ? length - 1 : length >>> 1
      const keys = node.keys.splice(half)
      return [{ leaf: true, generation, keys, values: node.values.splice(half) }, keys[0]!]
    }
    const half = node.children.length >>> 1
    const children = node.children.splice(half)
    const keys = node.keys.splice(half)
    const separator = node.keys.pop()!
    return [{ leaf: false, generation, keys, children }, separator]
  }

  /** Joins a child with its right neighbour if both fit in one node. An empty child always does. */
  #join(parent: Branch<Value>, at: number): void {
    const next = parent.children[at + 1]
    if (next === undefined || entries(parent.children[at]!) + entries(next) > nodeEntriesMax) return
    const left = this.#ownChild(parent, at)
    const [separator] = parent.keys.splice(at, 1)
    parent.children.splice(at + 1, 1)
    if (left.leaf && next.leaf) {
      left.keys.push(...next.keys)
      left.values.push(...next.values)
    } else if (!left.leaf && !next.leaf) {
      left.keys.push(separator!, ...next.keys)
      left.children.push(...next.children)
    }
  }

  #ownChild(parent: Branch<Value>, at: number): Node<Value> {
    const child = this.#own(parent.children[at]!)
    parent.children[at] = child
    return child
  }

  /** A node that no view holds. */
  #own(node: Node<Value>): Node<Value> {
    if (node.generation === this.#generation) return node
    const generation = this.#generation
    return node.leaf
      ? { leaf: true, generation, keys: node.keys.slice(), values: node.values.slice() }
      : { leaf: false, generation, keys: node.keys.slice(), children: node.children.slice() }
  }
}

function entries<Value>(node: Node<Value>): number {
  return node.leaf ? node.keys.length : node.children.length
}
