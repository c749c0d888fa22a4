/**
 * Appends chunks to packs: one thing after the other, a write of what has gathered, a sync, a mark.
 *
 * PROOF. Each record says up to where its pack had been synced when it was written. A seal syncs, writes a mark that says so, and syncs
 * that: when it answers, whoever opens the pack finds the proof for all that was appended before. Only what is proven is believed then.
 * Packs from an earlier start are never written again; what was torn at their end stays there, unproven.
 * FAILING. An error of a sync, or of a write but a full disk, is final. On a full disk the write waits, and `probe` repeats it in place.
 */

import { Writer } from '../../wire/writer.ts'
import { digestBytes } from '../../kernel/crypto-ports.ts'
import type { Crc32, Directory, FileError, WritableFile } from '../log/file-port.ts'
import { encodePackHead, packFile, packRecordBytes, snapshotFormatVersion, writePackRecord } from './format.ts'
import type { SnapshotLimits } from './limits.ts'

export interface AppendedChunk {
  /** Its number in the index. */
  record: number
  digest: Uint8Array
  bytes: Uint8Array
}

export interface AppenderListener {
  /** It can be read now, and is not proven yet. */
  written(chunk: AppendedChunk, pack: number, offset: number): void
  /** So much of the pack is on disk. */
  synced(pack: number, end: number): void
  /** A write has answered: there is room again, perhaps. */
  progress(): void
  full(error: FileError): void
  failed(error: FileError): void
}

export interface AppenderOptions {
  directory: Directory
  crc32: Crc32
  limits: SnapshotLimits
  listener: AppenderListener
  /** Number of the first pack that it makes. */
  firstPack: number
}

type Sealed = (error: FileError | null) => void

interface Pack {
  number: number
  file: WritableFile
  /** Where the next record goes. */
  end: number
  /** Up to where it is on disk. */
  synced: number
  /** Up to where the proof of that is on disk. */
  proven: number
  /** Whether its name is on disk. */
  named: boolean
}

const markDigest = new Uint8Array(digestBytes)

export class PackAppender {
  readonly #options: AppenderOptions
  readonly #group = new Writer()
  #queue: AppendedChunk[] = []
  #nextPack: number
  #pack: Pack | null = null
  #busy = false
  #seals: Sealed[] = []
  /** Those of the proof that is under way: what is appended meanwhile is not theirs. */
  #sealing: Sealed[] = []
  #state: 'open' | 'full' | 'failed' | 'closed' = 'open'
  #failure: FileError | null = null
  #again: (() => void) | null = null
  /** Bytes of chunks that are not written yet. */
  waitingBytes = 0

  constructor(options: AppenderOptions) {
    this.#options = options
    this.#nextPack = options.firstPack
  }

  get failure(): FileError | null {
    return this.#failure
  }

  /** The pack that is written to; null if there is none. */
  get openPack(): number | null {
    return this.#pack?.number ?? null
  }

  /** The bytes must stay as they are until they are written. */
  append(chunk: AppendedChunk): void {
    if (this.#state === 'failed' || this.#state === 'closed') return
    this.#queue.push(chunk)
    this.waitingBytes += chunk.bytes.length
    this.#pump()
  }

  /** Answers when all that was appended before is on disk, with its proof. With a full disk as its error it may be asked for again. */
  seal(sealed: Sealed): void {
    if (this.#state === 'closed') return
    if (this.#failure !== null) return sealed(this.#failure)
    this.#seals.push(sealed)
    if (this.#state === 'full') this.probe()
    else this.#pump()
  }

  /** After `full`: tries again what did not fit. */
  probe(): void {
    const again = this.#again
    if (this.#state !== 'full' || again === null) return
    this.#state = 'open'
    this.#again = null
    again()
  }

  /** Forgets what no write has begun for. Returns it. */
  discard(): AppendedChunk[] {
    const discarded = this.#queue
    this.#queue = []
    for (const chunk of discarded) this.waitingBytes -= chunk.bytes.length
    return discarded
  }

  close(): void {
    this.#state = 'closed'
    this.#pack?.file.close()
  }

  #pump(): void {
    if (this.#busy || this.#state !== 'open') return
    const { packBytesMax, syncEveryBytes } = this.#options.limits
    const pack = this.#pack
    if (pack !== null && pack.end >= packBytesMax) this.#run(() => this.#prove(pack, () => this.#roll(pack)))
    else if (pack !== null && pack.end - pack.synced >= syncEveryBytes) this.#run(() => this.#prove(pack, this.#next))
    else if (this.#queue.length > 0) this.#run(() => this.#writeGroup(pack ?? this.#newPack()))
    else if (this.#seals.length > 0) this.#run(() => this.#seal(pack))
  }

  #run(step: () => void): void {
    this.#busy = true
    step()
  }

  readonly #next = (): void => {
    this.#busy = false
    this.#pump()
  }

  #seal(pack: Pack | null): void {
    this.#sealing = this.#seals
    this.#seals = []
    if (pack === null) this.#sealed()
    else this.#prove(pack, this.#sealed)
  }

  readonly #sealed = (): void => {
    const seals = this.#sealing
    this.#sealing = []
    this.#busy = false
    for (const sealed of seals) sealed(null)
    this.#pump()
  }

  #newPack(): Pack {
    const number = this.#nextPack++
    const file = this.#options.directory.open(packFile(number))
    this.#pack = { number, file, end: 0, synced: 0, proven: 0, named: false }
    return this.#pack
  }

  #roll(pack: Pack): void {
    pack.file.close()
    this.#pack = null
    this.#next()
  }

  #writeGroup(pack: Pack): void {
    const { crc32, limits, listener } = this.#options
    const group = this.#group
    group.reset()
    if (pack.end === 0) group.raw(encodePackHead({ version: snapshotFormatVersion, pack: pack.number }, crc32))
    const offsets: number[] = []
    for (const { digest, bytes } of this.#queue) {
      const offset = pack.end + group.length
      if (group.length >= limits.groupBytesMax || offset >= limits.packBytesMax) break
      offsets.push(offset)
      const record = {
        kind: 'chunk',
        bodyBytes: bytes.length,
        synced: pack.synced,
        digest,
        bodyCrc: crc32(bytes, 0),
      } as const
      writePackRecord(group, { pack: pack.number, offset }, record, crc32)
      group.raw(bytes)
    }
    const chunks = this.#queue.splice(0, offsets.length)
    this.#write(pack, group.view(), () => {
      for (const [index, chunk] of chunks.entries()) {
        this.waitingBytes -= chunk.bytes.length
        listener.written(chunk, pack.number, offsets[index]!)
      }
      this.#busy = false
      listener.progress()
      this.#pump()
    })
  }

  /** Syncs, says so in the pack, and syncs that; nothing if there is nothing new. */
  #prove(pack: Pack, then: () => void): void {
    if (pack.proven === pack.end) return then()
    this.#sync(pack, () => {
      const { crc32, directory } = this.#options
      const mark = new Writer(packRecordBytes)
      const record = { kind: 'mark', bodyBytes: 0, synced: pack.synced, digest: markDigest, bodyCrc: 0 } as const
      writePackRecord(mark, { pack: pack.number, offset: pack.end }, record, crc32)
      this.#write(pack, mark.finish(), () =>
        this.#sync(pack, () => {
          pack.proven = pack.end
          if (pack.named) return then()
          directory.sync((error) => {
            if (error !== null) return this.#fail(error)
            pack.named = true
            if (this.#state !== 'closed') then()
          })
        }),
      )
    })
  }

  #sync(pack: Pack, then: () => void): void {
    const asked = pack.end
    pack.file.sync((error) => {
      if (error !== null) return this.#fail(error)
      pack.synced = asked
      this.#options.listener.synced(pack.number, asked)
      if (this.#state !== 'closed') then()
    })
  }

  #write(pack: Pack, bytes: Uint8Array, then: () => void): void {
    const write = (): void =>
      pack.file.write(pack.end, bytes, (error) => {
        if (error !== null) return this.#writeFailed(error, write)
        pack.end += bytes.length
        if (this.#state !== 'closed') then()
      })
    write()
  }

  #writeFailed(error: FileError, again: () => void): void {
    if (error.code !== 'ERR_DISK_FULL') return this.#fail(error)
    if (this.#state !== 'open') return
    this.#state = 'full'
    this.#again = again
    this.#answerSeals(error)
    this.#options.listener.full(error)
  }

  #fail(error: FileError): void {
    if (this.#state === 'failed' || this.#state === 'closed') return
    this.#state = 'failed'
    this.#failure = error
    this.#answerSeals(error)
    this.#options.listener.failed(error)
  }

  #answerSeals(error: FileError): void {
    const seals = [...this.#sealing, ...this.#seals]
    this.#sealing = []
    this.#seals = []
    for (const sealed of seals) sealed(error)
  }
}
