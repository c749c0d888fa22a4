// Writes a small file from its begin: cut, written in pieces, synced, named. Whoever reads it finds by its checksum whether it is whole.

import { readBytesMax, type Directory, type Done } from '../log/file-port.ts'

export interface WholeFile {
  name: string
  parts: readonly Uint8Array[]
  /** The file is there, and holds these very bytes: then a crash finds them, whatever is written of them again. */
  isThere?: boolean
}

/** A full disk leaves a torn file; the next attempt begins with cutting it. */
export function writeWholeFile(directory: Directory, { name, parts, isThere }: WholeFile, done: Done): void {
  const file = directory.open(name)
  const pieces = parts.flatMap(piecesOf)
  const finish: Done = (error) => {
    file.close()
    done(error)
  }
  const writeNext = (index: number, offset: number): void => {
    const piece = pieces[index]
    if (piece !== undefined) {
      file.write(offset, piece, (error) => {
        if (error !== null) finish(error)
        else writeNext(index + 1, offset + piece.length)
      })
      return
    }
    file.sync((error) => {
      if (error !== null) finish(error)
      else directory.sync(finish)
    })
  }
  if (isThere === true) return writeNext(0, 0)
  file.truncate(0, (error) => {
    if (error !== null) finish(error)
    else writeNext(0, 0)
  })
}

function piecesOf(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += readBytesMax) pieces.push(bytes.subarray(at, at + readBytesMax))
  return pieces
}
