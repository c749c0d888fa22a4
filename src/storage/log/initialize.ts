// Makes a log. Only this does: a replica that finds none does not make one by itself, because a voter that lost its log must not vote
// as if it had never promised anything. Whoever makes one says with which voice it will speak, and cannot change it afterwards.

import type { Crc32, Directory, FileError } from './file-port.ts'
import {
  encodeIdentity,
  encodeNote,
  encodeSegmentHeader,
  formatVersion,
  identityFile,
  noteFile,
  noteOffset,
  segmentFile,
  segmentHeaderBytes,
  type Voice,
} from './format.ts'

export type InitializeError = FileError | { code: 'ERR_LOG_NOT_EMPTY'; message: string }

export interface InitializeOptions {
  directory: Directory
  crc32: Crc32
  network: Uint8Array
  replica: number
  /** `votes` only where this replica has never been before. */
  voice: Voice
  /** One that no start of this replica has had, if it has been before: the first start here has the next. Default: 0. */
  incarnation?: number
}

export function initializeLog(options: InitializeOptions, done: (error: InitializeError | null) => void): void {
  const { directory, crc32, network, replica, voice, incarnation = 0 } = options
  if (directory.list().length > 0) {
    done({
      code: 'ERR_LOG_NOT_EMPTY',
      message: 'the directory is not empty: name one that does not exist or has nothing in it',
    })
    return
  }
  const chain = 0
  const note = {
    counter: 0,
    firstSegment: 1,
    endSegment: 1,
    endOffset: segmentHeaderBytes,
    endSequence: 0,
    incarnation,
  }
  const files: [string, number, Uint8Array][] = [
    [segmentFile(1), 0, encodeSegmentHeader({ version: formatVersion, segment: 1, firstSequence: 1, chain }, crc32)],
    [noteFile, noteOffset(0), encodeNote(note, crc32)],
    // Last, so that a directory whose making was interrupted is not taken for one that lost its segments.
    [identityFile, 0, encodeIdentity({ version: formatVersion, network, replica, voice }, crc32)],
  ]
  const next = (): void => {
    const file = files.shift()
    if (file === undefined) {
      directory.sync(done)
      return
    }
    const [name, offset, bytes] = file
    const handle = directory.open(name)
    handle.write(offset, bytes, (written) => {
      if (written !== null) return done(written)
      handle.sync((synced) => {
        handle.close()
        if (synced !== null) done(synced)
        else next()
      })
    })
  }
  next()
}
