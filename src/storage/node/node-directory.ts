/**
 * One directory of real files: the port of the log (file-port.ts) on POSIX. Reading is synchronous, on descriptors that live as long as
 * the call; creations and removals are durable after a sync of the directory, and one that failed is final, as for a file.
 */

import { readBytesMax, type Directory, type Done, type FileError, type WritableFile } from '../log/file-port.ts'
import { diskError, errorNumberOf, fileError } from './data-directory-error.ts'
import { closeQuietly, nodeFileSystem, type FileSystem } from './file-system.ts'
import { NodeFile } from './node-file.ts'
import { OperationChain } from './operation-chain.ts'

/** Of a directory that exists. `files` is for tests. */
export function openNodeDirectory(path: string, files: FileSystem = nodeFileSystem): NodeDirectory {
  return new NodeDirectory(path, files)
}

export class NodeDirectory implements Directory {
  readonly #path: string
  readonly #files: FileSystem
  readonly #open = new Set<NodeFile>()
  readonly #failures = new Map<string, FileError>()
  readonly #chain: OperationChain
  #failure: FileError | null = null
  #isClosed = false
  #chainEnded = false
  #ended: () => void = () => {}
  #end: Promise<void> | null = null

  constructor(path: string, files: FileSystem) {
    this.#path = path
    this.#files = files
    this.#chain = new OperationChain(() => {
      this.#chainEnded = true
      this.#endIfIdle()
    })
  }

  list(): string[] {
    try {
      return this.#files.readdirSync(this.#path)
    } catch (error) {
      throw diskError(`${this.#path} cannot be listed`, error)
    }
  }

  /** 0 for a file that does not exist. Any other trouble is thrown: a size of 0 would be believed. */
  size(name: string): number {
    const path = this.#pathOf(name)
    try {
      return this.#files.statSync(path).size
    } catch (error) {
      if (errorNumberOf(error) === 'ENOENT') return 0
      throw diskError(`the size of ${name} cannot be read`, error)
    }
  }

  read(
    name: string,
    offset: number,
    length: number,
  ): { ok: true; bytes: Uint8Array } | { ok: false; error: FileError } {
    if (length > readBytesMax) throw new RangeError(`a read of ${length} bytes is above ${readBytesMax}`)
    const path = this.#pathOf(name)
    let descriptor: number | null = null
    try {
      descriptor = this.#files.openSync(path, 'r')
      const bytes = new Uint8Array(length)
      let filled = 0
      for (let got = 1; got > 0 && filled < length; filled += got) {
        got = this.#files.readSync(descriptor, bytes, filled, length - filled, offset + filled)
      }
      return { ok: true, bytes: bytes.subarray(0, filled) }
    } catch (error) {
      return { ok: false, error: fileError(`${name} cannot be read`, error) }
    } finally {
      if (descriptor !== null) closeQuietly(this.#files, descriptor)
    }
  }

  open(name: string): WritableFile {
    if (this.#isClosed) throw new Error(`${this.#path} is closed`)
    const file = new NodeFile({
      files: this.#files,
      path: this.#pathOf(name),
      name,
      failures: this.#failures,
      closed: (file) => {
        this.#open.delete(file)
        this.#endIfIdle()
      },
    })
    this.#open.add(file)
    return file
  }

  remove(name: string, done: Done): void {
    const path = this.#pathOf(name)
    this.#chain.push((answer) => {
      this.#files.unlink(path, (error) => answer(error === null ? null : fileError(`${name} cannot be removed`, error)))
    }, done)
  }

  sync(done: Done): void {
    this.#chain.push((answer) => {
      if (this.#failure === null) this.#syncNow(answer)
      else answer(this.#failure)
    }, done)
  }

  /** Closes every file. Resolves when nothing runs any more; nothing answers from now on. */
  close(): Promise<void> {
    this.#end ??= new Promise((resolve) => {
      this.#ended = resolve
      this.#isClosed = true
      for (const file of this.#open) file.close()
      this.#chain.close()
    })
    return this.#end
  }

  #syncNow(answer: (error: FileError | null) => void): void {
    const settle = (error: unknown): void => {
      if (error === null) return answer(null)
      const message = `${this.#path} cannot be synced (${errorNumberOf(error)}): check the disk before the replica starts again`
      this.#failure = { code: 'ERR_DISK_IO', message }
      answer(this.#failure)
    }
    let descriptor: number
    try {
      descriptor = this.#files.openSync(this.#path, 'r')
    } catch (error) {
      return settle(error)
    }
    this.#files.fsync(descriptor, (error) => {
      closeQuietly(this.#files, descriptor)
      settle(error)
    })
  }

  #endIfIdle(): void {
    if (this.#isClosed && this.#chainEnded && this.#open.size === 0) this.#ended()
  }

  /** Names come from the log's own code: another one is a bug, and none leads out of the directory. */
  #pathOf(name: string): string {
    if (!/^[a-z0-9-]+$/.test(name)) throw new RangeError(`${JSON.stringify(name)} is no name for a file of the log`)
    return `${this.#path}/${name}`
  }
}
