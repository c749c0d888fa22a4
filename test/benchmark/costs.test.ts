// Regressions, counted instead of timed: what 1,000 operations of a stated load cost in the simulator, exactly (src/benchmark/complexity/guarded.ts).
// After a change that is meant: `npm run costs:accept`, and a sentence in the commit that says why.

import { expect, it } from 'vitest'
import { guardedCosts } from '../../src/benchmark/complexity/guarded.ts'
import { contenders } from '../../src/benchmark/contenders.ts'
import { faultModelOf } from '../../src/kernel/ids.ts'

it('a thousand operations cost the frames, bytes, messages, signatures and fsyncs that they did', async () => {
  const costs = contenders.flatMap((contender) => {
    const sizes = faultModelOf(contender.protocol) === 'crash' ? [3, 5] : [4, 7]
    return sizes.map((replicas) => ({ contender: contender.name, replicas, costs: guardedCosts(contender, replicas) }))
  })
  await expect(`${JSON.stringify(costs, null, 2)}\n`).toMatchFileSnapshot('costs.json')
}, 120_000)
