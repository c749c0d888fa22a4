// What a state consists of when it is hashed or transferred: chunks with a stable name and a version.

/** Characters of a chunk's id. */
export const chunkIdLengthMax = 2048
/** Bytes of one chunk. A state machine cuts larger ones in parts that have an id each. */
export const chunkBytesMax = 2 * 1024 * 1024

/** One chunk of a frozen view. */
export interface StateChunk {
  /** Names the chunk in every snapshot that has it. Latin-1 characters only (U+0000 to U+00FF), unique in its snapshot. */
  readonly id: string
  /**
   * Changes at least when the bytes do. A chunk whose version is the same as at the last checkpoint is not hashed again. Versions stay
   * on this replica: they are neither hashed nor transferred, and may start anew after a restore.
   */
  readonly version: number
  /** Called when the bytes are wanted: now, later, or not at all. A function of the state as it was when the view was taken. */
  bytes(): Uint8Array
}

/** A chunk as it comes back. */
export interface RestoredChunk {
  readonly id: string
  readonly bytes: Uint8Array
}

/** A chunk's id as bytes: one byte a character. */
export function chunkIdBytes(id: string): Uint8Array {
  if (id.length > chunkIdLengthMax)
    throw new RangeError(`chunk id of ${id.length} characters, at most ${chunkIdLengthMax}`)
  const bytes = new Uint8Array(id.length)
  for (let index = 0; index < id.length; index++) {
    const code = id.charCodeAt(index)
    if (code > 0xff) throw new RangeError(`chunk id ${JSON.stringify(id)} has a character above U+00FF`)
    bytes[index] = code
  }
  return bytes
}
