// Whether a folder lies where the setup says: on a disk that syncs cost something on, or in memory.

import { statfsSync } from 'node:fs'
import { QuorateError } from '../kernel/quorate-error.ts'
import type { Setup } from './system.ts'

/** Of tmpfs, in linux/magic.h. */
const tmpfsType = 0x0102_1994

export function requireFolder({ dir, fsync }: Pick<Setup, 'dir' | 'fsync'>): void {
  const isMemory = statfsSync(dir).type === tmpfsType
  if (isMemory !== fsync) return
  const found = isMemory
    ? `${dir} lies in memory, where a sync costs nothing: name a folder on a disk`
    : `${dir} lies on a disk, where a sync costs something: name a folder in memory, such as one in /dev/shm`
  throw new QuorateError('ERR_BENCHMARK_ROUND', found)
}
