// "Did you mean": the known word that a misspelt one was probably meant to be.

const wordCharactersMax = 64
const distanceMax = 3

/** The known word at the least edit distance, if that is small and leaves something of the word; else null. */
export function nearest(word: string, known: readonly string[]): string | null {
  const short = word.slice(0, wordCharactersMax).toLowerCase()
  let best: string | null = null
  let least = distanceMax + 1
  for (const candidate of known) {
    const distance = editDistance(short, candidate.toLowerCase())
    if (distance < least && distance < candidate.length) {
      best = candidate
      least = distance
    }
  }
  return best
}

/** Insertions, deletions and replacements of one character; one row of the table at a time. */
function editDistance(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const replaced = above[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1))
    }
    above = current
  }
  return above[right.length]!
}
