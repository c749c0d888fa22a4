// A disk that always has something under way is busy, not stalled.

import { describe, expect, it } from 'vitest'
import { Bench } from './bench.ts'

describe('a replica whose disk is never done', () => {
  it('asks all the same for the proposal that it has lost', () => {
    const bench = new Bench({ parameters: { batch: { lingerMs: 0 }, pbft: { windowBlocks: 1024 } } }).start()
    const busy = bench.replica(4)
    bench.replica(1).propose('lost')
    bench.settle(({ to, message }) => !(to === 4 && message.kind === 'pre-prepare'))
    bench.take()
    busy.autoSync = false
    for (let block = 0; block < 400; block++) {
      bench.replica(1).propose(`b${block}`)
      bench.settle()
      busy.sync(busy.persisted - 1)
      busy.execute()
      bench.elapse(10)
    }
    expect(busy.texts).toContain('lost')
    expect(busy.decidedHeight).toBeGreaterThan(300)
  })

  it('is heard as primary all the same', () => {
    const bench = new Bench({ parameters: { batch: { lingerMs: 0 }, pbft: { windowBlocks: 1024 } } }).start()
    const busy = bench.replica(1)
    busy.autoSync = false
    bench.sent.length = 0
    for (let block = 0; block < 200; block++) {
      busy.propose(`b${block}`)
      bench.settle()
      busy.sync(busy.persisted - 1)
      bench.elapse(10)
    }
    expect(bench.sent.filter(({ from, message }) => from === 1 && message.kind === 'status').length).toBeGreaterThan(30)
  })
})
