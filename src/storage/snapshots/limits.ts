// What the store may take: of memory, of time in one go, and of the disk.

export interface SnapshotLimits {
  /** A pack that has reached this size is followed by a new one. */
  packBytesMax: number
  /** Chunks that wait to be written: above it a writer is told to wait. */
  waitingBytesMax: number
  /** What is gathered for one write, with at most one chunk more. */
  groupBytesMax: number
  /** Written at most without a sync between: what an interrupted transfer may have to fetch again. */
  syncEveryBytes: number
  /** Copied at most after one checkpoint, so that mostly dead packs can go. */
  compactionBytesMax: number
}

export const snapshotLimitsDefault: SnapshotLimits = {
  packBytesMax: 64 * 1024 * 1024,
  waitingBytesMax: 8 * 1024 * 1024,
  groupBytesMax: 1024 * 1024,
  syncEveryBytes: 16 * 1024 * 1024,
  compactionBytesMax: 64 * 1024 * 1024,
}

/** Snapshots with a certificate that are kept: the newest, and the one before it in case its disk is not whole. */
export const stableSnapshotsMax = 2
/** Snapshots that are whole and wait for their certificate. */
export const uncertifiedSnapshotsMax = 2
/** Entries looked at in one step. */
export const entriesPerStep = 4096
