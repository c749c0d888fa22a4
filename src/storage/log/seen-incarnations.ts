/**
 * Which starts of the other members this replica has seen, and what others say they have seen of this one. Kept for ever, so that a
 * member that runs on an old copy of its directory is refused also after this replica has started again.
 *
 * Like the note of the log it is two slots written in turn, so that a torn one leaves the one before it. What cannot be read is taken for
 * nothing seen: this is a second defence, and must not keep a replica whose log is sound from starting.
 */

import { ascending, decode, encode, fixedBytes, struct, u16, u53, type Codec } from '../../wire/codec.ts'
import { membersMax } from '../../kernel/limits.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Crc32, Directory, Done, FileError, WritableFile } from './file-port.ts'
import { incarnationMax } from './rejoin.ts'

export const seenFile = 'seen'
const formatVersion = 1
const processBytes = 16

/** One start of a member: the number that it gave it, and what tells its process from another that gives the same. */
export interface SeenStart {
  incarnation: number
  process: Uint8Array
}

interface Content {
  version: number
  /** Rises with each writing; the slot is its parity. */
  counter: number
  /** The newest start of this replica itself that others have convinced it of; 0: they have not. */
  own: number
  members: (SeenStart & { replica: number })[]
}

const contentCodec: Codec<Content> = struct<Content>({
  version: u16,
  counter: u53,
  own: u53,
  members: ascending(
    struct<SeenStart & { replica: number }>({ replica: u16, incarnation: u53, process: fixedBytes(processBytes) }),
    (member) => member.replica,
    membersMax,
  ),
})

const lengthBytes = 2
const crcBytes = 4
/** Room for all members that there can be: no slot ever grows, so a full disk cannot hit it. */
export const seenSlotBytes: number = 4096

export class SeenIncarnations {
  readonly #directory: Directory
  readonly #crc32: Crc32
  readonly #members = new Map<ReplicaId, SeenStart>()
  /** As of the newest slot on disk. */
  #written: ReadonlyMap<ReplicaId, SeenStart>
  #counter: number
  #own: number
  #file: WritableFile | null = null
  #waiting: Done[] = []
  #isWriting = false
  #isClosed = false

  /** Reads what is there; writes nothing. */
  constructor(directory: Directory, crc32: Crc32) {
    this.#directory = directory
    this.#crc32 = crc32
    const content = readNewest(directory, crc32)
    this.#counter = content?.counter ?? 0
    this.#own = content?.own ?? 0
    for (const member of content?.members ?? []) this.#members.set(member.replica as ReplicaId, startOf(member))
    this.#written = new Map(this.#members)
  }

  /** The newest start of this replica that others have convinced it of; 0 if they have not. */
  get own(): number {
    return this.#own
  }

  /** Of another member, on disk or on its way there. */
  newest(replica: ReplicaId): SeenStart | null {
    return this.#members.get(replica) ?? null
  }

  /** Makes the file, at its full size. */
  prepare(done: Done): void {
    if (this.#directory.size(seenFile) >= 2 * seenSlotBytes) return done(null)
    const file = this.#open()
    const rest = 2 * seenSlotBytes - this.#directory.size(seenFile)
    file.write(2 * seenSlotBytes - rest, new Uint8Array(rest), (error) => {
      if (error !== null) return done(error)
      file.sync((failure) => (failure === null ? this.#directory.sync(done) : done(failure)))
    })
  }

  /** True: it is on disk already, and nobody answers. Otherwise `done` answers when it is, or why it is not. */
  note(replica: ReplicaId, start: SeenStart, done: Done): boolean {
    if (isSame(this.#written.get(replica), start)) return true
    this.#members.set(replica, startOf(start))
    this.#waiting.push(done)
    this.#writeNext()
    return false
  }

  /** Others have seen this start of this replica. What nobody can have seen is not believed. */
  noteOwn(incarnation: number, done: Done): void {
    if (incarnation < incarnationMax) this.#own = Math.max(this.#own, incarnation)
    this.#waiting.push(done)
    this.#writeNext()
  }

  close(): void {
    this.#isClosed = true
    this.#file?.close()
  }

  #open(): WritableFile {
    this.#file ??= this.#directory.open(seenFile)
    return this.#file
  }

  #writeNext(): void {
    if (this.#isWriting || this.#isClosed || this.#waiting.length === 0) return
    this.#isWriting = true
    const answers = this.#waiting
    this.#waiting = []
    const members = new Map(this.#members)
    // One that fails is written again to the same slot: the other holds what is known for sure.
    const counter = this.#counter + 1
    const settle = (error: FileError | null): void => {
      this.#isWriting = false
      if (error === null) {
        this.#counter = counter
        this.#written = members
      }
      for (const answer of answers) answer(error)
      this.#writeNext()
    }
    const file = this.#open()
    file.write((counter % 2) * seenSlotBytes, this.#slot(counter, members), (error) => {
      if (error !== null) settle(error)
      else file.sync(settle)
    })
  }

  #slot(counter: number, members: ReadonlyMap<ReplicaId, SeenStart>): Uint8Array {
    const sorted = [...members].sort(([left], [right]) => left - right)
    const content = encode(contentCodec, {
      version: formatVersion,
      counter,
      own: this.#own,
      members: sorted.map(([replica, start]) => Object.assign(startOf(start), { replica })),
    })
    const slot = new Uint8Array(seenSlotBytes)
    const view = new DataView(slot.buffer)
    view.setUint16(0, content.length, true)
    slot.set(content, lengthBytes)
    const end = lengthBytes + content.length
    view.setUint32(end, this.#crc32(slot.subarray(0, end), 0), true)
    return slot
  }
}

function readNewest(directory: Directory, crc32: Crc32): Content | null {
  const slots = [0, 1].flatMap((slot) => {
    const read = directory.read(seenFile, slot * seenSlotBytes, seenSlotBytes)
    const content = read.ok ? readSlot(read.bytes, crc32) : null
    return content === null ? [] : [content]
  })
  return slots.sort((left, right) => right.counter - left.counter)[0] ?? null
}

function readSlot(bytes: Uint8Array, crc32: Crc32): Content | null {
  if (bytes.length < lengthBytes + crcBytes) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = lengthBytes + view.getUint16(0, true)
  if (end + crcBytes > bytes.length) return null
  if (crc32(bytes.subarray(0, end), 0) !== view.getUint32(end, true)) return null
  const content = decode(contentCodec, bytes.subarray(lengthBytes, end))
  return content.ok && content.value.version === formatVersion ? content.value : null
}

/** A copy: whoever noted it may go on with what it gave. */
function startOf(start: SeenStart): SeenStart {
  return { incarnation: start.incarnation, process: Uint8Array.from(start.process) }
}

function isSame(left: SeenStart | undefined, right: SeenStart): boolean {
  if (left === undefined || left.incarnation !== right.incarnation) return false
  return left.process.every((byte, index) => byte === right.process[index])
}
