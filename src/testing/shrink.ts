// From a history that shows a fault to a short one that shows the same: a prefix, then without whatever is not needed.

const triesMax = 300

/** `shows` says whether a list still breaks the same rule. Bounded: the result is short, and not always the shortest. */
export function shrink<Item>(items: readonly Item[], shows: (items: readonly Item[]) => boolean): readonly Item[] {
  let kept = items
  let tries = 0
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let first = 0; first < kept.length;) {
      if (++tries > triesMax) return kept
      const without = [...kept.slice(0, first), ...kept.slice(first + size)]
      if (shows(without)) kept = without
      else first += size
    }
  }
  return kept
}
