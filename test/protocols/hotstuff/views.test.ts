// Giving views up and entering them: each rule by itself, with everybody else lying; and what must not end a view at all.

import { describe, expect, it } from 'vitest'
import { Bench, timeoutMs } from './bench.ts'
import {
  certificateOf,
  chainOf,
  garbage,
  genesisOf,
  proposalOf,
  spoilt,
  spoiltTimeouts,
  timeoutOf,
  timeoutsOf,
} from './forging.ts'
import { Lone } from './lone.ts'

/** It has given up view 1, which brought it nothing. */
function givingUp(): Lone {
  const lone = new Lone()
  lone.one.propose('x')
  lone.world.elapse(timeoutMs)
  expect(lone.noted('view-given-up')).toBe(1)
  return lone
}

it('nobody votes in a view that it has given up (R2)', () => {
  const lone = givingUp()
  lone.hear(2, proposalOf(lone.world, 1, 1, 'a'))
  expect(lone.voted).toEqual([])
})

describe('a view is over', () => {
  it('when a quorum has given it up', () => {
    const lone = givingUp()
    lone.hear(3, timeoutOf(lone.world, 3, 1))
    expect(lone.one.status.view).toBe(1)
    lone.hear(4, timeoutOf(lone.world, 4, 1))
    expect(lone.one.status.view).toBe(2)
  })

  it('when a quorum has given up this very view', () => {
    const lone = givingUp()
    lone.hear(3, timeoutOf(lone.world, 3, 1)).hear(4, timeoutOf(lone.world, 4, 2))
    expect(lone.one.status.view).toBe(1)
  })

  it('for whoever is told so with the signatures of a quorum', () => {
    const lone = new Lone()
    const timeouts = timeoutsOf(lone.world, 1, 0)
    lone.hear(4, { kind: 'newest', certificate: genesisOf(lone.world), timeouts: spoiltTimeouts(timeouts) })
    expect(lone.one.status.view).toBe(1)
    lone.hear(4, { kind: 'newest', certificate: genesisOf(lone.world), timeouts })
    expect(lone.one.status.view).toBe(2)
  })

  it('for whoever has a certificate as high as the timeouts name: its leader could extend nothing else', () => {
    const lone = new Lone()
    const [first] = chainOf(lone.world, 1)
    const timeouts = timeoutsOf(lone.world, 5, 1)
    lone.hear(4, { kind: 'newest', certificate: genesisOf(lone.world), timeouts })
    expect(lone.one.status.view).toBe(1)
    lone.hear(4, { kind: 'newest', certificate: certificateOf(lone.world, first!), timeouts })
    expect(lone.one.status.view).toBe(6)
  })

  it('for whoever is told of a certificate that a quorum has signed', () => {
    const lone = new Lone()
    const [first] = chainOf(lone.world, 1)
    const certificate = certificateOf(lone.world, first!)
    lone.hear(4, { kind: 'newest', certificate: spoilt(certificate), timeouts: null })
    expect(lone.one.status.view).toBe(1)
    lone.hear(4, { kind: 'newest', certificate, timeouts: null })
    expect(lone.one.status.view).toBe(2)
  })

  it('for good: an old certificate leads nobody back', () => {
    const lone = new Lone()
    const chain = chainOf(lone.world, 1, 2, 3)
    const [first, , third] = chain.map((proposal) => certificateOf(lone.world, proposal))
    lone.hear(2, ...chain, { kind: 'newest', certificate: third!, timeouts: null })
    expect(lone.one.status.view).toBe(4)
    lone.hear(2, { kind: 'newest', certificate: first!, timeouts: null })
    expect(lone.one.status.view).toBe(4)
  })

  it('and whoever gives it up late is told so', () => {
    const lone = new Lone()
    const [first] = chainOf(lone.world, 1)
    lone.hear(4, { kind: 'newest', certificate: certificateOf(lone.world, first!), timeouts: null })
    lone.hear(3, timeoutOf(lone.world, 3, 1))
    expect(lone.said('newest').map(({ certificate }) => certificate.view)).toEqual([1])
  })
})

describe('a later view is given up with others', () => {
  it('when one correct replica has done so, and not when a liar has, however far ahead (B5)', () => {
    const lone = new Lone()
    lone.hear(4, timeoutOf(lone.world, 4, 2 ** 40))
    expect(lone.noted('view-given-up')).toBe(0)
    lone.hear(3, timeoutOf(lone.world, 3, 5))
    expect(lone.said('timeout', 2).map(({ view }) => view)).toEqual([5])
  })

  it('who have signed for it', () => {
    const lone = new Lone()
    lone.hear(4, { ...timeoutOf(lone.world, 4, 5), signature: garbage }).hear(3, timeoutOf(lone.world, 3, 5))
    expect(lone.noted('view-given-up')).toBe(0)
  })

  it('whose certificates hold', () => {
    const lone = new Lone()
    const certificate = spoilt(certificateOf(lone.world, proposalOf(lone.world, 1, 1, 'a')))
    lone.hear(4, timeoutOf(lone.world, 4, 5, certificate)).hear(3, timeoutOf(lone.world, 3, 5))
    expect(lone.noted('view-given-up')).toBe(0)
    expect(lone.one.status.view).toBe(1)
  })

  it('who carry the certificate that they sign for (R15)', () => {
    const lone = new Lone()
    lone.hear(4, timeoutOf(lone.world, 4, 5, genesisOf(lone.world), 4)).hear(3, timeoutOf(lone.world, 3, 5))
    expect(lone.noted('view-given-up')).toBe(0)
  })
})

describe('no view is given up', () => {
  it('while nothing waits for it (R11)', () => {
    const world = new Bench().start()
    world.elapse(20 * timeoutMs)
    for (const replica of world.replicas) expect(replica.noted('view-given-up')).toEqual([])
  })

  it('because the application is slow (R20)', () => {
    const flow = { executionLagBlocksMax: 2 }
    const world = new Bench({ parameters: { batch: { operationsMax: 1, lingerMs: 0 }, flow } }).start()
    for (const replica of world.replicas) {
      replica.autoExecute = false
      replica.propose(...'abcdefgh')
    }
    world.elapse(20 * timeoutMs)
    for (const replica of world.replicas) {
      expect(replica.decidedHeight).toBe(2)
      expect(replica.noted('view-given-up')).toEqual([])
    }
  })
})
