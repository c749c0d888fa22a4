// A sweep is handed out, and remembered, in chunks: runs of seeds whose borders are the same in every sweep, so that one sweep's
// finished chunks are worth something to the next.

export interface Chunk {
  from: number
  to: number
}

export const seedsPerChunk = 10

/** The range in chunks. A chunk ends at a multiple of its size, or where the range does. */
export function chunksOf(from: number, to: number): Chunk[] {
  const chunks: Chunk[] = []
  for (let first = from; first <= to;) {
    const last = Math.min(to, Math.ceil(first / seedsPerChunk) * seedsPerChunk)
    chunks.push({ from: first, to: last })
    first = last + 1
  }
  return chunks
}

/** Parts a plan into what is finished, once each, and what is left to run. A finished chunk that is not in the plan does not count. */
export function partition<Finished extends { chunk: Chunk }>(
  plan: readonly Chunk[],
  done: readonly Finished[],
): { finished: Finished[]; left: Chunk[] } {
  const byChunk = new Map(done.map((one) => [nameOf(one.chunk), one]))
  const finished: Finished[] = []
  const left: Chunk[] = []
  for (const chunk of plan) {
    const found = byChunk.get(nameOf(chunk))
    if (found === undefined) left.push(chunk)
    else finished.push(found)
  }
  return { finished, left }
}

function nameOf({ from, to }: Chunk): string {
  return `${from}..${to}`
}
