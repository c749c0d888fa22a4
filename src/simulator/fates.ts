// What becomes of a replica that is not healed.

import type { FaultFamily } from './report.ts'

export type Fate = 'crashed' | 'isolated' | 'deaf' | 'mute' | 'full' | 'hanging'

export function fatesOf(faults: FaultFamily, disksFail: boolean): readonly Fate[] {
  const cutOff: readonly Fate[] = ['isolated', 'deaf', 'mute']
  const crashed: readonly Fate[] = faults === 'network' ? [] : ['crashed']
  const broken: readonly Fate[] = disksFail ? ['full', 'hanging'] : []
  return [...crashed, ...cutOff, ...broken]
}
