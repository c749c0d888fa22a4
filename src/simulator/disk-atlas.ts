/**
 * Which disks of a run may be damaged for good, and where.
 *
 * WHO. At most f replicas: what they had promised is lost, so they abstain from then on, and a quorum of the others must be left. Whoever
 * is damaged may be damaged again. Faults that end, and that nobody mistakes for something else, may hit anyone.
 * WHERE. Only where recovery is sure to notice. A record that was synced a moment ago and is not noted yet looks, when it is bad, like
 * one that was never written; nobody can tell them apart, and raft promises nothing to a voter that forgets without knowing it.
 */

import type { ReplicaId } from '../kernel/ids.ts'
import { crc32 } from '../storage/log/crc32.ts'
import type { Directory } from '../storage/log/file-port.ts'
import { decodeNote, identityFile, noteFile, noteSlotBytes, segmentFile, type Note } from '../storage/log/format.ts'
import type { Place } from './disk/simulated-disk.ts'

export class DiskAtlas {
  readonly #damagedMax: number
  readonly #damaged = new Set<ReplicaId>()

  /** At most so many. */
  constructor(damagedMax: number) {
    this.#damagedMax = damagedMax
  }

  mayDamage(replica: ReplicaId): boolean {
    return this.#damaged.has(replica) || this.#damaged.size < this.#damagedMax
  }

  damage(replica: ReplicaId): void {
    if (!this.mayDamage(replica)) throw new RangeError(`replica ${replica} is one more than may be damaged`)
    this.#damaged.add(replica)
  }

  isDamaged(replica: ReplicaId): boolean {
    return this.#damaged.has(replica)
  }
}

type Platter = Pick<Directory, 'list' | 'size' | 'read'>

/** The sound notes on the platter, in the order of their slots. */
export function soundNotes(platter: Platter): Note[] {
  const read = platter.read(noteFile, 0, 2 * noteSlotBytes)
  const bytes = read.ok ? read.bytes : new Uint8Array(0)
  return [0, 1].flatMap(
    (slot) => decodeNote(bytes.subarray(slot * noteSlotBytes, (slot + 1) * noteSlotBytes), crc32) ?? [],
  )
}

/**
 * What recovery checks, and refuses when it is bad: the identity, and the log up to the *older* note, because a power loss may take the
 * newer one.
 */
export function checkedPlaces(platter: Platter): Place[] {
  const names = platter.list()
  const notes = soundNotes(platter)
  if (!names.includes(identityFile) || notes.length === 0) return []
  const older = notes.reduce((left, right) => (left.counter < right.counter ? left : right))
  const firstSegment = Math.max(...notes.map((note) => note.firstSegment))
  const places: Place[] = [{ name: identityFile, offset: 0, length: platter.size(identityFile) }]
  for (let segment = firstSegment; segment <= older.endSegment; segment++) {
    const name = segmentFile(segment)
    const length = segment === older.endSegment ? older.endOffset : platter.size(name)
    if (names.includes(name)) places.push({ name, offset: 0, length: Math.min(length, platter.size(name)) })
  }
  return places.filter((place) => place.length > 0)
}
