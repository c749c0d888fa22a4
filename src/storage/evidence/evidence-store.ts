/**
 * The evidence of one replica: a file that is only ever appended to, and never cut, so that a lie can be shown when everything else of its
 * time is gone.
 *
 * BOUNDED. About one thing one contradiction of a replica is kept; of each replica so many and so much; and so much in all. What was
 * kept first stays: a liar can fill its own share only.
 * NEVER IN THE WAY. Writes answer to nobody but the listener. The first that fails ends writing until the next start; what could not
 * be written is counted as lost.
 */

import { encode } from '../../wire/codec.ts'
import { WireError } from '../../wire/error.ts'
import { evidenceCodec, type Evidence } from '../../kernel/evidence.ts'
import type { NetworkId, ReplicaId } from '../../kernel/ids.ts'
import { readBytesMax, type Crc32, type Directory, type FileError, type WritableFile } from '../log/file-port.ts'
import {
  encodeEvidenceHead,
  encodeEvidenceRecord,
  evidenceFile,
  evidenceHeadBytes,
  evidenceRecordBytes,
} from './format.ts'

export interface EvidenceLimits {
  /** Kept of one replica. */
  perReplicaMax: number
  /** Of the evidence of one replica, in its records. */
  perReplicaBytesMax: number
  /** Of the file. */
  bytesMax: number
}

export const evidenceLimitsDefault: EvidenceLimits = {
  perReplicaMax: 64,
  perReplicaBytesMax: 16 * 1024 * 1024,
  bytesMax: 256 * 1024 * 1024,
}

export interface EvidenceListener {
  /** Everything kept so far is on disk. */
  durable(): void
  /** Nothing more is written in this life. */
  failed(error: FileError): void
}

export interface EvidenceStoreOptions {
  directory: Directory
  crc32: Crc32
  network: NetworkId
  listener: EvidenceListener
  limits?: EvidenceLimits
  /** Where the file that is there ends; 0 if there is none. */
  end: number
  /** It begins with a sound head. */
  hasHead: boolean
}

export type Kept =
  | 'kept'
  /** There is evidence about the same thing already. */
  | 'known'
  /** No room is left for evidence of this replica. */
  | 'full'
  /** Writing has failed. */
  | 'lost'

interface Share {
  count: number
  bytes: number
}

export class EvidenceStore {
  readonly #options: EvidenceStoreOptions
  readonly #limits: EvidenceLimits
  readonly #known = new Set<string>()
  readonly #shares = new Map<ReplicaId, Share>()
  #end: number
  #hasHead: boolean
  #file: WritableFile | null = null
  #waiting = 0
  #failure: FileError | null = null
  #isClosed = false
  #whenIdle: (() => void) | null = null

  constructor(options: EvidenceStoreOptions) {
    this.#options = options
    this.#limits = options.limits ?? evidenceLimitsDefault
    this.#end = Math.max(options.end, evidenceHeadBytes)
    this.#hasHead = options.hasHead
  }

  /** On disk, or on its way there. */
  get count(): number {
    return this.#known.size
  }

  /** Whether more of this replica would be kept: if not, it need not be judged. */
  hasRoom(replica: ReplicaId): boolean {
    const { count, bytes } = this.#share(replica)
    const { perReplicaMax, perReplicaBytesMax, bytesMax } = this.#limits
    return count < perReplicaMax && bytes < perReplicaBytesMax && this.#end < bytesMax
  }

  /** It was found in the file. `about` is what both statements are about. */
  found(evidence: Evidence, about: string, bytes: number): void {
    this.#count(evidence, about, bytes)
  }

  /** The caller has judged it. */
  add(evidence: Evidence, about: string): Kept {
    if (this.#known.has(nameOf(evidence, about))) return 'known'
    if (this.#failure !== null || this.#isClosed) return 'lost'
    const bytes = sizeOf(evidence)
    if (bytes === null || !this.#fits(evidence.replica, bytes)) return 'full'
    this.#append(evidence)
    this.#count(evidence, about, bytes)
    return 'kept'
  }

  /** Answers when what was kept is on disk, or has failed. */
  close(done: () => void): void {
    this.#isClosed = true
    this.#whenIdle = () => {
      this.#file?.close()
      done()
    }
    this.#settle()
  }

  #fits(replica: ReplicaId, bytes: number): boolean {
    const { count, bytes: used } = this.#share(replica)
    const { perReplicaMax, perReplicaBytesMax, bytesMax } = this.#limits
    return count < perReplicaMax && used + bytes <= perReplicaBytesMax && this.#end + bytes <= bytesMax
  }

  #share(replica: ReplicaId): Share {
    return this.#shares.get(replica) ?? { count: 0, bytes: 0 }
  }

  #count(evidence: Evidence, about: string, bytes: number): void {
    this.#known.add(nameOf(evidence, about))
    const share = this.#share(evidence.replica)
    this.#shares.set(evidence.replica, { count: share.count + 1, bytes: share.bytes + bytes })
  }

  #append(evidence: Evidence): void {
    const { directory, crc32, network } = this.#options
    this.#file ??= directory.open(evidenceFile)
    // Also in the place of one that was torn or is damaged: what stands behind it stays.
    if (!this.#hasHead) this.#write(this.#file, 0, encodeEvidenceHead(network, crc32))
    this.#hasHead = true
    const record = encodeEvidenceRecord(evidence, this.#end, crc32)
    this.#write(this.#file, this.#end, record)
    this.#end += record.length
    this.#sync(this.#file)
  }

  #write(file: WritableFile, offset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += readBytesMax) {
      file.write(offset + at, bytes.subarray(at, at + readBytesMax), (error) => {
        if (error !== null) this.#fail(error)
      })
    }
  }

  /** Behind the writes, which take effect in order. Also the name of a file that is new. */
  #sync(file: WritableFile): void {
    this.#waiting++
    file.sync((failure) => {
      if (failure !== null) return this.#fail(failure)
      this.#options.directory.sync((error) => {
        if (error !== null) return this.#fail(error)
        this.#waiting--
        if (this.#waiting === 0 && this.#failure === null) this.#options.listener.durable()
        this.#settle()
      })
    })
  }

  #fail(error: FileError): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#options.listener.failed(error)
    this.#settle()
  }

  #settle(): void {
    if (this.#whenIdle === null || (this.#waiting > 0 && this.#failure === null)) return
    const answer = this.#whenIdle
    this.#whenIdle = null
    answer()
  }
}

function nameOf({ replica, domainTag }: Evidence, about: string): string {
  return `${replica} ${domainTag} ${about}`
}

/** Of its record; null for statements that are too large to be kept. */
function sizeOf(evidence: Evidence): number | null {
  try {
    return evidenceRecordBytes + encode(evidenceCodec, evidence).length
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}
