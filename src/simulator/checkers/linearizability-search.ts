// Looks for an order of one key's operations that explains what every client saw: Wing and Gong's search with Lowe's
// memory of configurations (Testing for linearizability, 2017). Depth first, so a good history costs a few steps per
// operation. A level is a completion that the order built so far must still reach; the operations to choose from are
// those invoked before it.
//
// What keeps it small, each without losing an order that exists:
// - A read, or a refusal, that fits now is taken at once: it hinders nothing that comes later.
// - The operation that completes next is tried before the others: those can wait.
// - An operation of unknown outcome is tried only when there is no way on without one, from the furthest place that was
//   reached; and never if it changes nothing, if its effect goes unnoticed by the very next operation, or while an
//   equal one invoked earlier is unused.

import { ConfigurationMemo } from './configuration-memo.ts'
import { DeferredChoices } from './deferred-choices.ts'
import type { Operation } from './history.ts'
import type { Model } from './model.ts'
import type { SearchProblem } from './search-problem.ts'

/** Orders are lists of the problem's numbers. */
export type SearchResult =
  | { readonly kind: 'linearizable'; readonly steps: number; readonly order: readonly number[] }
  | { readonly kind: 'undecided'; readonly steps: number }
  // The longest order that was found, and the operation whose completion no order reaches.
  | { readonly kind: 'violation'; readonly steps: number; readonly order: readonly number[]; readonly due: number }

const none = -1
const fresh = -2
const exhausted = -3

export class LinearizabilitySearch<State, Op, Result> {
  readonly #model: Model<State, Op, Result>
  readonly #items: readonly Operation<Op, Result>[]
  readonly #knownTotal: number
  readonly #calls: Float64Array
  readonly #due: Int32Array
  readonly #leavesState: Uint8Array
  readonly #slots: Int32Array
  readonly #twins: Int32Array
  readonly #memo = new ConfigurationMemo()
  readonly #states: State[] = []
  readonly #stateIds = new Map<string | number | null, number>()

  // The configuration.
  #level = 0
  #state: number
  readonly #used: Uint8Array
  readonly #openMask: Int32Array
  readonly #unknownMask: Int32Array
  // Rings of the operations not yet used, in order of invocation, each behind a head of its own.
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #knownHead: number
  readonly #unknownHead: number

  // The way here: which operation was linearised, and what to go back to.
  #depth = 0
  readonly #takenItem: number[] = []
  readonly #takenState: number[] = []
  readonly #takenLevel: number[] = []
  readonly #takenForced: number[] = []
  /** By depth, if there are unknown operations: the place there. */
  readonly #placeAt: number[] = [0]
  readonly #deferred = new DeferredChoices()

  // What #choose found.
  #chosenState = 0
  #chosenForced = false
  #steps = 0
  #best: { level: number; order: number[] } = { level: -1, order: [] }

  constructor(problem: SearchProblem<State, Op, Result>) {
    const { model, key, items, knownTotal, slotsTotal } = problem
    this.#model = model
    this.#items = items
    this.#knownTotal = knownTotal
    this.#calls = problem.calls
    this.#due = problem.due
    this.#leavesState = problem.leavesState
    this.#slots = problem.slots
    this.#twins = problem.twins
    this.#used = new Uint8Array(items.length)
    this.#openMask = new Int32Array(Math.max(1, Math.ceil(slotsTotal / 32)))
    this.#unknownMask = new Int32Array(Math.ceil((items.length - knownTotal) / 32))
    this.#knownHead = items.length
    this.#unknownHead = items.length + 1
    this.#next = new Int32Array(items.length + 2)
    this.#previous = new Int32Array(items.length + 2)
    this.#closeRing(this.#knownHead, 0, knownTotal)
    this.#closeRing(this.#unknownHead, knownTotal, items.length)
    this.#state = this.#intern(model.initial(key))
  }

  /** Gives up when the model has taken `stepsMax` steps (to within one choice). */
  run(stepsMax: number): SearchResult {
    let cursor = fresh
    // Operations taken below this depth stay: the search goes on from there.
    let depthMin = 0
    while (this.#level < this.#knownTotal) {
      if (this.#steps >= stepsMax) return { kind: 'undecided', steps: this.#steps }
      const item = this.#choose(cursor)
      if (item !== none) {
        this.#take(item)
        const isNew = this.#memo.add(this.#level, this.#openMask, this.#state, this.#unknownMask)
        if (isNew) this.#enterPlace(item)
        cursor = isNew ? fresh : this.#takeBack()
        continue
      }
      this.#rememberBest()
      if (cursor < this.#knownTotal && cursor !== exhausted) this.#deferUnknown()
      if (this.#depth > depthMin) {
        cursor = this.#takeBack()
        continue
      }
      const place = this.#deferred.take()
      if (place === null) return this.#violation()
      this.#goTo(place)
      depthMin = this.#depth
      cursor = this.#unknownHead
    }
    return { kind: 'linearizable', steps: this.#steps, order: this.#takenItem.slice(0, this.#depth) }
  }

  /** The next operation worth trying here after one that led nowhere. */
  #choose(after: number): number {
    this.#chosenForced = false
    if (after === exhausted) return none
    const due = this.#due[this.#level]!
    const bound = this.#items[due]!.completedEvent!
    if (after >= this.#knownTotal) return this.#chooseUnknown(after, bound)
    let item = after
    if (item === fresh) {
      const settled = this.#chooseSettled(bound)
      if (settled !== none) {
        this.#chosenForced = true
        return settled
      }
      if (this.#leavesState[due] === 0 && this.#fits(due)) return due
    }
    if (item === fresh || item === due) item = this.#knownHead
    for (item = this.#next[item]!; item !== this.#knownHead && this.#calls[item]! < bound; item = this.#next[item]!) {
      if (item !== due && this.#leavesState[item] === 0 && this.#fits(item)) return item
    }
    return none
  }

  #chooseUnknown(after: number, bound: number): number {
    for (
      let item = this.#next[after]!;
      item !== this.#unknownHead && this.#calls[item]! < bound;
      item = this.#next[item]!
    ) {
      const twin = this.#twins[item - this.#knownTotal]!
      if ((twin === none || this.#used[twin] === 1) && this.#fits(item)) return item
    }
    return none
  }

  #chooseSettled(bound: number): number {
    for (
      let item = this.#next[this.#knownHead]!;
      item !== this.#knownHead && this.#calls[item]! < bound;
      item = this.#next[item]!
    ) {
      if (this.#leavesState[item] === 1 && this.#fits(item)) return item
    }
    return none
  }

  #fits(item: number): boolean {
    const state = this.#step(this.#state, item)
    if (state === none) return false
    if (item >= this.#knownTotal && state === this.#state) return false
    // An unknown operation that the very next one does not notice may as well not have happened.
    const last = this.#depth - 1
    if (last >= 0 && this.#takenItem[last]! >= this.#knownTotal) {
      if (this.#step(this.#takenState[last]!, item) === state) return false
    }
    this.#chosenState = state
    return true
  }

  /** The state after an operation, or none if its client saw another result. */
  #step(from: number, item: number): number {
    this.#steps += 1
    const { operation, outcome } = this.#items[item]!
    const { state, result } = this.#model.step(this.#states[from]!, operation)
    if (outcome.kind === 'ok' && !this.#model.equalResults(outcome.result, result)) return none
    return this.#intern(state)
  }

  #take(item: number): void {
    const depth = this.#depth++
    this.#takenItem[depth] = item
    this.#takenState[depth] = this.#state
    this.#takenLevel[depth] = this.#level
    this.#takenForced[depth] = Number(this.#chosenForced)
    this.#state = this.#chosenState
    this.#remove(item)
    while (this.#level < this.#knownTotal && this.#used[this.#due[this.#level]!] === 1) {
      flip(this.#openMask, this.#slots[this.#due[this.#level]!]!)
      this.#level += 1
    }
  }

  /** Undoes the last choice, and says from where to choose on. */
  #takeBack(): number {
    const depth = --this.#depth
    const item = this.#takenItem[depth]!
    while (this.#level > this.#takenLevel[depth]!) {
      this.#level -= 1
      flip(this.#openMask, this.#slots[this.#due[this.#level]!]!)
    }
    this.#putBack(item)
    this.#state = this.#takenState[depth]!
    return this.#takenForced[depth] === 1 ? exhausted : item
  }

  #remove(item: number): void {
    this.#used[item] = 1
    this.#next[this.#previous[item]!] = this.#next[item]!
    this.#previous[this.#next[item]!] = this.#previous[item]!
    this.#flipMask(item)
  }

  #putBack(item: number): void {
    this.#used[item] = 0
    this.#next[this.#previous[item]!] = item
    this.#previous[this.#next[item]!] = item
    this.#flipMask(item)
  }

  #flipMask(item: number): void {
    if (item < this.#knownTotal) flip(this.#openMask, this.#slots[item]!)
    else flip(this.#unknownMask, item - this.#knownTotal)
  }

  #enterPlace(item: number): void {
    if (this.#knownTotal === this.#items.length) return
    this.#placeAt[this.#depth] = this.#deferred.enter(this.#placeAt[this.#depth - 1]!, item, this.#state)
  }

  #deferUnknown(): void {
    const first = this.#next[this.#unknownHead]!
    if (first === this.#unknownHead) return
    if (this.#calls[first]! > this.#items[this.#due[this.#level]!]!.completedEvent!) return
    this.#deferred.defer(this.#placeAt[this.#depth]!, this.#level)
  }

  #goTo(place: number): void {
    const ahead: number[] = []
    let shared = place
    while (this.#deferred.depth(shared) > this.#depth || this.#placeAt[this.#deferred.depth(shared)] !== shared) {
      ahead.push(shared)
      shared = this.#deferred.parent(shared)
    }
    while (this.#depth > this.#deferred.depth(shared)) this.#takeBack()
    for (const next of ahead.reverse()) {
      this.#chosenState = this.#deferred.state(next)
      this.#take(this.#deferred.item(next))
      this.#placeAt[this.#depth] = next
    }
  }

  #rememberBest(): void {
    const { level, order } = this.#best
    if (this.#level < level || (this.#level === level && this.#depth <= order.length)) return
    this.#best = { level: this.#level, order: this.#takenItem.slice(0, this.#depth) }
  }

  #violation(): SearchResult {
    const { level, order } = this.#best
    return { kind: 'violation', steps: this.#steps, order, due: this.#due[level]! }
  }

  #intern(state: State): number {
    const fingerprint = this.#model.fingerprint(state)
    const id = this.#stateIds.get(fingerprint)
    if (id !== undefined) return id
    this.#stateIds.set(fingerprint, this.#states.length)
    return this.#states.push(state) - 1
  }

  #closeRing(head: number, from: number, to: number): void {
    let last = head
    for (let item = from; item < to; item++) {
      this.#next[last] = item
      this.#previous[item] = last
      last = item
    }
    this.#next[last] = head
    this.#previous[head] = last
  }
}

function flip(mask: Int32Array, bit: number): void {
  mask[bit >>> 5]! ^= 1 << (bit & 31)
}
