// What the stores of snapshots and of evidence write.

import { evidenceHeadCodec } from '../../src/storage/evidence/format.ts'
import { manifestHeadCodec, packHeadCodec } from '../../src/storage/snapshots/format.ts'
import { fill, one, type Registered } from './registered.ts'

export const snapshotRegistry: readonly Registered[] = [
  one('evidenceHeadCodec', evidenceHeadCodec, { version: 1, network: fill(32, 5) }),
  one('packHeadCodec', packHeadCodec, { version: 1, pack: 7 }),
  one('manifestHeadCodec', manifestHeadCodec, {
    version: 1,
    network: fill(32, 5),
    header: {
      epoch: 1,
      height: 7,
      parent: fill(32, 1),
      blockDigest: fill(32, 2),
      resultsRoot: fill(32, 3),
      stateRoot: fill(32, 4),
      time: 9,
    },
    packs: [
      { pack: 1, end: 67_108_900 },
      { pack: 4, end: 200 },
    ],
    count: 2,
    bytes: 90,
    crc: 0xffff_fffe,
  }),
]
