// The port lists a directory at once, and has no other way to say that it cannot than to throw.

import type { Directory } from '../log/file-port.ts'

/** Null if the directory cannot be listed. */
export function fileNames(directory: Directory): string[] | null {
  try {
    return directory.list()
  } catch {
    return null
  }
}
