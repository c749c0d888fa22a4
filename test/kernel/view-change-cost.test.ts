// A pbft network whose window does not fit its checkpoints or its timeouts would stand still: its file is refused, and none is written so.

import { describe, expect, it } from 'vitest'
import { defaultParameters, type Parameters } from '../../src/kernel/parameters.ts'
import { judgingMs, timeoutMsMin, windowFault } from '../../src/kernel/view-change-cost.ts'

const defaults = defaultParameters('required')

function withWindow(windowBlocks: number, intervalHeights: number, pipelineBlocksMax = 16): Parameters {
  return {
    ...defaults,
    pbft: { ...defaults.pbft, windowBlocks },
    checkpoints: { intervalHeights },
    flow: { ...defaults.flow, pipelineBlocksMax },
  }
}

describe('a window', () => {
  it('has room for a checkpoint interval and a pipeline', () => {
    expect(windowFault(4, withWindow(144, 128))).toBeNull()
    expect(windowFault(4, withWindow(143, 128))).toMatch(/windowBlocks is 143, and must be at least 144/)
    expect(windowFault(4, withWindow(8, 4, 5))).toMatch(/at least 9/)
  })

  it('can be judged within half of the base of the view timeout', () => {
    // 160 blocks, 21 signatures each, 0.13 ms.
    expect(judgingMs(31, 160)).toBeCloseTo(436.8)
    expect(windowFault(31, defaults)).toBeNull()
    expect(windowFault(128, defaults)).toMatch(/timeoutMsBase is 1000, and must be at least 3578 with 128 voters/)
    const patient = { ...defaults, timers: { ...defaults.timers, timeoutMsBase: timeoutMsMin(128, 160) } }
    expect(windowFault(128, patient)).toBeNull()
  })
})
