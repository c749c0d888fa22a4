// What a view change costs, in formulas: docs/protocols/pbft.md has the figures.

import { describe, expect, it } from 'vitest'
import { extendedCost, viewChangeCost } from './view-change-costs.ts'

describe('a view change with full windows', () => {
  for (const voters of [4, 5, 7]) {
    it(`among ${voters} costs each voter one message to each, and each distinct signature one check`, () => {
      const windowBlocks = 16
      const cost = viewChangeCost(voters, windowBlocks)
      const up = voters - 1
      // A VIEW-CHANGE of everybody to everybody, and the NEW-VIEW.
      expect(cost.messages).toBe(up * (voters - 1) + (voters - 1))
      // At most the pre-prepare and the prepare of each backup for each slot, and a VIEW-CHANGE of each of the others.
      expect(cost.checkedByPrimary).toBeLessThanOrEqual(windowBlocks * voters + (up - 1))
      expect(cost.checkedByPrimary).toBeGreaterThanOrEqual(windowBlocks * cost.quorum + cost.quorum - 1)
      // A backup checks the NEW-VIEW and its pre-prepares besides.
      expect(cost.checkedByBackup).toBeLessThanOrEqual(windowBlocks * (voters + 1) + up)
    })
  }

  it('grows by the same with each block of the window', () => {
    expect(extendedCost(4, 64)).toEqual(viewChangeCost(4, 64))
  })
})
