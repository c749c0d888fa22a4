// Randomness that is an input: one seed, one sequence, on every machine. Not for secrets.

export interface Random {
  /** Uniform over 0 to 2^32 - 1. */
  u32(): number
  /** Uniform over 0 to bound - 1; the bound is at most 2^32. */
  below(bound: number): number
  /** Uniform over both ends and what lies between. */
  between(minimum: number, maximum: number): number
  /** True in `numerator` of `denominator` cases. */
  chance(numerator: number, denominator: number): boolean
  pick<Item>(items: readonly Item[]): Item
  /** A source of its own, so that one part's use does not move another's. */
  fork(label: string): Random
}

export function createRandom(seed: number | string): Random {
  const text = String(seed)
  return fromWords(hashWord(text, 0x9e37_79b9), hashWord(text, 0x85eb_ca6b), hashWord(text, 0xc2b2_ae35), 1)
}

/** sfc32 (Small Fast Counter), which passes the usual batteries and needs nothing but 32-bit integers. */
function fromWords(first: number, second: number, third: number, counterStart: number): Random {
  let a = first | 0
  let b = second | 0
  let c = third | 0
  let counter = counterStart | 0

  const u32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return sum >>> 0
  }
  // The first outputs still show the seed.
  for (let round = 0; round < 12; round++) u32()

  const below = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1 || bound > 0x1_0000_0000)
      throw new RangeError(`no number is below ${bound}`)
    return Math.floor((u32() / 0x1_0000_0000) * bound)
  }
  const random: Random = {
    u32,
    below,
    between: (minimum, maximum) => minimum + below(maximum - minimum + 1),
    chance: (numerator, denominator) => below(denominator) < numerator,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    fork: (label) => fromWords(u32() ^ hashWord(label, 1), u32() ^ hashWord(label, 2), u32(), hashWord(label, 3)),
  }
  return random
}

function hashWord(text: string, seed: number): number {
  let hash = seed | 0
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x5bd1_e995)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return hash ^ (hash >>> 16)
}
