/**
 * One file that is open for writing. Its operations take effect and answer strictly in the order they were made.
 *
 * A SYNC THAT FAILED IS FINAL. The kernel may drop the pages that it could not write and report success at the next attempt, so after
 * one error the file answers with that error for ever, under whatever handle it is opened again.
 */

import type { Done, FileError, WritableFile } from '../log/file-port.ts'
import { errorNumberOf, fileError } from './data-directory-error.ts'
import { closeQuietly, type FileSystem } from './file-system.ts'
import { OperationChain, type Operation } from './operation-chain.ts'

/** Up to this a write is done at once: it only reaches the page cache, and costs less than its way to another thread and back. */
export const writeAtOnceBytesMax: number = 64 * 1024

export interface NodeFileOptions {
  files: FileSystem
  path: string
  /** For messages. */
  name: string
  /** Errors of syncs, by name of file: shared by all that are opened in this directory. */
  failures: Map<string, FileError>
  /** The descriptor is closed. */
  closed: (file: NodeFile) => void
}

export class NodeFile implements WritableFile {
  readonly #options: NodeFileOptions
  readonly #chain: OperationChain
  /** Or why there is none: an error of opening is the answer to every operation, because `open` itself cannot answer. */
  readonly #descriptor: number | FileError

  constructor(options: NodeFileOptions) {
    this.#options = options
    this.#descriptor = this.#open()
    this.#chain = new OperationChain(() => this.#end())
  }

  write(offset: number, bytes: Uint8Array, done: Done): void {
    this.#push(done, (descriptor, answer) => {
      if (bytes.length <= writeAtOnceBytesMax) answer(this.#writeAtOnce(descriptor, offset, bytes))
      else this.#writeRest(descriptor, offset, bytes, answer)
    })
  }

  sync(done: Done): void {
    const { files, name, failures } = this.#options
    this.#push(done, (descriptor, answer) =>
      files.fdatasync(descriptor, (error) => {
        if (error === null) return answer(null)
        const failure: FileError = {
          code: 'ERR_DISK_IO',
          message: `${name} cannot be synced (${errorNumberOf(error)}): check the disk before the replica starts again`,
        }
        failures.set(name, failure)
        answer(failure)
      }),
    )
  }

  truncate(length: number, done: Done): void {
    const { files, name } = this.#options
    this.#push(done, (descriptor, answer) =>
      files.ftruncate(descriptor, length, (error) =>
        answer(error === null ? null : fileError(`${name} cannot be cut`, error)),
      ),
    )
  }

  /** What runs is waited for before the descriptor goes; what waits is dropped, and nothing answers any more. */
  close(): void {
    this.#chain.close()
  }

  #push(done: Done, run: (descriptor: number, answer: Parameters<Operation>[0]) => void): void {
    this.#chain.push((answer) => {
      const failure = this.#options.failures.get(this.#options.name)
      if (failure !== undefined) answer(failure)
      else if (typeof this.#descriptor === 'number') run(this.#descriptor, answer)
      else answer(this.#descriptor)
    }, done)
  }

  #open(): number | FileError {
    const { files, path, name } = this.#options
    const { O_RDWR, O_CREAT } = files.constants
    try {
      return files.openSync(path, O_RDWR | O_CREAT, 0o600)
    } catch (error) {
      return fileError(`${name} cannot be opened`, error)
    }
  }

  #writeAtOnce(descriptor: number, offset: number, bytes: Uint8Array): FileError | null {
    const { files } = this.#options
    try {
      for (let done = 0; done < bytes.length;) {
        const written = files.writeSync(descriptor, bytes, done, bytes.length - done, offset + done)
        if (written === 0) return this.#writeFailed(noProgress)
        done += written
      }
      return null
    } catch (error) {
      return this.#writeFailed(error)
    }
  }

  /** The system may take fewer bytes than it was given, and then says only at the next write why. */
  #writeRest(descriptor: number, offset: number, bytes: Uint8Array, answer: Parameters<Operation>[0]): void {
    this.#options.files.write(descriptor, bytes, 0, bytes.length, offset, (error, written) => {
      if (error !== null) return answer(this.#writeFailed(error))
      if (written === bytes.length) return answer(null)
      if (written === 0) return answer(this.#writeFailed(noProgress))
      this.#writeRest(descriptor, offset + written, bytes.subarray(written), answer)
    })
  }

  #writeFailed(cause: unknown): FileError {
    return fileError(`${this.#options.name} cannot be written`, cause)
  }

  #end(): void {
    if (typeof this.#descriptor === 'number') closeQuietly(this.#options.files, this.#descriptor)
    this.#options.closed(this)
  }
}

const noProgress = { code: 'nothing was written' }
