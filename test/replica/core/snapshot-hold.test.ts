// A snapshot that somebody fetches stays, for a while and not for ever.

import { describe, expect, it } from 'vitest'
import { holdMs, holdMsMax, holdPauseMs, SnapshotHold } from '../../../src/replica/core/snapshot-hold.ts'

describe('a snapshot that is fetched', () => {
  it('is held from the first request to a while after the last', () => {
    const hold = new SnapshotHold()
    expect(hold.holds(0)).toBe(false)
    hold.asked(1_000)
    hold.asked(1_000 + holdMs)
    expect(hold.holds(1_000 + 2 * holdMs)).toBe(true)
    expect(hold.holds(1_001 + 2 * holdMs)).toBe(false)
  })

  it('is not held for ever by one that never ends', () => {
    const hold = new SnapshotHold()
    let endedMs: number | null = null
    for (let nowMs = 0; nowMs <= holdMsMax + holdPauseMs; nowMs += 1_000) {
      hold.asked(nowMs)
      if (!hold.holds(nowMs)) endedMs ??= nowMs
    }
    expect(endedMs).toBe(holdMsMax + 1_000)
    // In the pause nothing is held, after it again.
    const afterMs = holdMsMax + 1_000 + holdPauseMs
    hold.asked(afterMs - 1)
    expect(hold.holds(afterMs - 1)).toBe(false)
    hold.asked(afterMs)
    expect(hold.holds(afterMs)).toBe(true)
  })

  it('counts anew for the next, who comes later', () => {
    const hold = new SnapshotHold()
    hold.asked(0)
    const laterMs = holdMsMax - 1_000
    hold.asked(laterMs)
    expect(hold.holds(laterMs + holdMs)).toBe(true)
  })
})
