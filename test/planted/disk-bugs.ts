// Bugs that only a faulty disk shows: what is believed of it, and who still speaks when it is lost.

import type { PlantedBug } from './planted-bug.ts'

const log = 'src/storage/log/log.ts'
const openLog = 'src/storage/log/open-log.ts'
const recovery = 'src/storage/log/recovery.ts'

export const diskBugs: readonly PlantedBug[] = [
  {
    name: 'c37-failed-sync-ignored',
    title: 'a sync that failed is taken for one that succeeded, and the replica goes on',
    file: log,
    find: 'if (error !== null) this.#fail(error)\n      else if (this.#state',
    replace: 'void error\n      if (this.#state',
    finder: { kind: 'simulator', replicas: 3, faults: 'disk', seed: 5 },
  },
  {
    name: 'c37-page-cache-believed',
    title:
      'what an earlier life could not sync is read from the page cache, and a sync that writes nothing makes it count',
    file: openLog,
    find: 'if (bytes.length === 0) sync(null)',
    replace: 'if (bytes.length >= 0) sync(null)',
    finder: { kind: 'simulator', replicas: 3, faults: 'disk', seed: 5 },
  },
  {
    name: 'c38-later-record-ignored',
    title: 'a bad record is cut off like a torn tail, though one stands behind it that was written after its sync',
    file: recovery,
    find: 'if (header.groupFirst <= lastGood + 1) continue',
    replace: 'if (header.groupFirst >= 0) continue',
    finder: { kind: 'tests', files: ['test/storage/log/log.test.ts'] },
  },
  {
    name: 'c27-lost-voter-votes',
    title: 'a voter that lost its log and rejoined votes as if it had never promised anything',
    file: recovery,
    find: "abstains: identity.voice === 'abstains'",
    replace: 'abstains: identity.voice === undefined',
    finder: { kind: 'simulator', replicas: 3, faults: 'disk', seed: 1 },
  },
  {
    name: 'c27-old-copy-let-in',
    title: 'a start that is no newer than one that others have seen is no reason to refuse the log',
    file: 'src/storage/log/rejoin.ts',
    find: 'if (!recovered.ok || seen === 0 || recovered.incarnation > seen) return recovered',
    replace: 'if (seen >= 0) return recovered',
    finder: { kind: 'simulator', replicas: 3, faults: 'disk', seed: 12 },
  },
  {
    name: 'c14-acknowledged-while-the-sync-hangs',
    title:
      'a group counts as durable when it is written: what a hanging sync never confirms is acknowledged, and a power loss takes it',
    file: log,
    find: 'this.#sync(this.#segment, synced)\n      this.#sync(this.#note, synced)',
    replace: 'synced()\n      synced()',
    finder: { kind: 'simulator', replicas: 3, faults: 'disk', seed: 1 },
  },
  {
    name: 'c40-hanging-disk-leads-on',
    title: 'a leader whose disk hangs leads on',
    file: 'src/protocols/raft/election.ts',
    find: "if (state.durable < state.persistedAtCheck) return stepDown(step, 'storage-hangs')",
    replace: 'void state.persistedAtCheck',
    finder: { kind: 'tests', files: ['test/protocols/raft/storage.test.ts'] },
  },
  {
    name: 'full-disk-never-probed',
    title: 'a replica whose disk had been full does not vote again when there is room (liveness)',
    file: 'src/protocols/raft/raft.ts',
    find: 'state.stalled = false',
    replace: 'state.stalled = true',
    finder: { kind: 'simulator', replicas: 3, faults: 'disk', seed: 12 },
  },
  {
    name: 'full-disk-gap',
    title: 'what did not fit on a full disk is left out, and the log goes on behind it',
    file: log,
    find: 'this.#whenRoom = again',
    replace: 'this.#whenRoom = () => this.#groupDurable(this.#running!)',
    finder: { kind: 'simulator', replicas: 3, faults: 'disk', seed: 10 },
  },
  {
    name: 'records-not-checked-again',
    title: 'records are believed as they are read for the second time, checked or not',
    file: 'src/storage/log/log-reader.ts',
    find: 'const record = soundRecord(bytes, 0, crc32)',
    replace: 'const record = readRecordHeader(bytes, 0)',
    finder: { kind: 'tests', files: ['test/storage/log/open-log.test.ts'] },
  },
]
