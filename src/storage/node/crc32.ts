// The checksum of the log by zlib's own code, which every Node that we run on has.

import { crc32 as zlibCrc32 } from 'node:zlib'
import type { Crc32 } from '../log/file-port.ts'

export const crc32: Crc32 = (bytes, previous) => zlibCrc32(bytes, previous)
