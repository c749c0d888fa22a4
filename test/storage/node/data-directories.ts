// Data directories for tests: written, closed, opened again.

import { createDataDirectory } from '../../../src/storage/node/create-data-directory.ts'
import { openDataDirectory, type OpenDataDirectoryOptions } from '../../../src/storage/node/open-data-directory.ts'
import type { FileError } from '../../../src/storage/log/file-port.ts'
import { logLimitsDefault } from '../../../src/storage/log/log.ts'

export const identity = { network: new Uint8Array(32).fill(5), replica: 3 }
/** Small segments, so that a small log has several. */
export const limits = { ...logLimitsDefault, segmentBytesMax: 250 }

/** What a log reports, in order; `until` resolves when so much is durable. */
export class Listener {
  readonly durables: number[] = []
  readonly fulls: FileError[] = []
  readonly failures: FileError[] = []
  #waiting: { sequence: number; resolve: () => void }[] = []
  #ended: (() => void)[] = []

  durable(upTo: number): void {
    this.durables.push(upTo)
    for (const { sequence, resolve } of this.#waiting) if (sequence <= upTo) resolve()
    this.#waiting = this.#waiting.filter(({ sequence }) => sequence > upTo)
  }

  full(error: FileError): void {
    this.fulls.push(error)
    for (const ended of this.#ended.splice(0)) ended()
  }

  failed(error: FileError): void {
    this.failures.push(error)
    for (const ended of this.#ended.splice(0)) ended()
  }

  until(sequence: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ sequence, resolve }))
  }

  /** Full, or failed. */
  untilTrouble(): Promise<void> {
    return new Promise((resolve) => this.#ended.push(resolve))
  }
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export async function open(path: string, options: Partial<OpenDataDirectoryOptions> = {}) {
  const listener = new Listener()
  const data = await openDataDirectory(path, { ...identity, listener, limits, ...options })
  const texts = (): string[] => [...data.log.records()].map((record) => textOf(record.bytes))
  /** One group. */
  const write = async (...records: string[]): Promise<void> => {
    let last = 0
    for (const record of records) last = data.log.append(bytesOf(record))
    data.log.flush()
    await listener.until(last)
  }
  return { ...data, listener, texts, write }
}

export async function create(path: string): Promise<string> {
  await createDataDirectory(path, identity)
  return path
}
