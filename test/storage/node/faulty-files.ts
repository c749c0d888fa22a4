// A file system that counts, and in which single functions can be replaced.

import { nodeFileSystem, type FileSystem } from '../../../src/storage/node/file-system.ts'

export interface FaultyFiles extends FileSystem {
  /** Names of what was called, in order, without `openSync` and `closeSync`. */
  calls: string[]
  /** Descriptors opened and not closed. */
  descriptors: Set<number>
}

export function faultyFiles(faults: Partial<FileSystem> = {}): FaultyFiles {
  const calls: string[] = []
  const descriptors = new Set<number>()
  const real = { ...nodeFileSystem, ...faults }
  return {
    ...real,
    calls,
    descriptors,
    openSync(path, flags, mode) {
      const descriptor = real.openSync(path, flags, mode)
      descriptors.add(descriptor)
      return descriptor
    },
    closeSync(descriptor) {
      descriptors.delete(descriptor)
      real.closeSync(descriptor)
    },
    writeSync(...call) {
      calls.push('writeSync')
      return real.writeSync(...call)
    },
    write(...call) {
      calls.push('write')
      real.write(...call)
    },
    ftruncate(...call) {
      calls.push('ftruncate')
      real.ftruncate(...call)
    },
    fdatasync(...call) {
      calls.push('fdatasync')
      real.fdatasync(...call)
    },
    fsync(...call) {
      calls.push('fsync')
      real.fsync(...call)
    },
    unlink(...call) {
      calls.push('unlink')
      real.unlink(...call)
    },
  }
}

export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code })
}
