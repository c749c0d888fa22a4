// Where a search has been. A configuration is the first completion that is not yet explained, the linearised ones
// among the operations open there, the state, and the unknown operations that were taken to have happened. Everything
// that completed earlier is linearised and nothing invoked later is, so this is the whole set of linearised
// operations, in a few words.
//
// A configuration that was reached with fewer unknown operations can do all that one with more can: the latter is not
// searched again.

const stateBits = 21
const statesMax = 2 ** stateBits

export class ConfigurationMemo {
  readonly #levels: Map<number | string, Int32Array[]>[] = []

  /** False if a search from here can find nothing that an earlier one has not looked for. Copies what it keeps. */
  add(level: number, open: Int32Array, state: number, unknown: Int32Array): boolean {
    const seen = (this.#levels[level] ??= new Map<number | string, Int32Array[]>())
    const key =
      open.length === 1 && state < statesMax ? (open[0]! >>> 0) * statesMax + state : `${open.join()}:${state}`
    const sets = seen.get(key)
    if (sets === undefined) {
      seen.set(key, [unknown.slice()])
      return true
    }
    for (const set of sets) if (isSubset(set, unknown)) return false
    sets.push(unknown.slice())
    return true
  }
}

function isSubset(small: Int32Array, large: Int32Array): boolean {
  for (let word = 0; word < small.length; word++) if ((small[word]! & ~large[word]!) !== 0) return false
  return true
}
