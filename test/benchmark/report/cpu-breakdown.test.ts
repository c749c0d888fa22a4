// Goal: what a process spends is put down to what it works for, and adds up to what the kernel counted. Method: a profile of a few frames.

import { describe, expect, it } from 'vitest'
import { cpuShares, threadBreakdown, threadShareOf } from '../../../src/benchmark/report/cpu-breakdown.ts'
import { categoryOfFrame } from '../../../src/benchmark/report/cpu-categories.ts'
import { frameTree } from '../../../src/benchmark/report/cpu-profile.ts'
import { readSources } from '../../architecture/sources.ts'
import { smallProfile, urls } from './small-profile.ts'

const profile = smallProfile(
  [
    { name: 'prepare', url: urls.protocol },
    { name: 'hash', url: urls.hasher, caller: 0 },
    { name: 'update', url: urls.node, caller: 1 },
    { name: 'writev', url: 'node:net' },
    { name: 'onread', url: urls.node },
    { name: 'take', url: urls.yamux, caller: 4 },
    { name: '(garbage collector)', caller: 5 },
  ],
  [0, 1, 2, 2, 3, 5, 5, 6],
)

describe('a breakdown', () => {
  const thread = threadBreakdown(frameTree(profile))

  it('puts a frame of Node down to the nearest of ours or of a library that called it', () => {
    expect(thread).toMatchObject({ protocol: 1000, hashing: 3000, links: 2000, other: 1000 })
  })

  it('puts the garbage collector down to itself, whoever waited for it', () => {
    expect(thread['garbage collection']).toBe(1000)
  })

  it('shares what the kernel counted of the thread, with other threads beside it, and adds up to 1', () => {
    const shares = cpuShares(thread, 0.5)
    expect(shares).toMatchObject({ hashing: 3 / 16, 'other threads': 0.5 })
    expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
  })
})

describe('the share of a thread', () => {
  const usage = [0, 1, 2, 3].map((at) => ({ atUs: at * 1e6, processSeconds: at * at, threadSeconds: at }))
  const counted = { ...profile, quorate: { pid: 1, command: [], usage } }

  it('is what the kernel counted within the window', () => {
    expect(threadShareOf(counted, null)).toBe(3 / 9)
    expect(threadShareOf(counted, { fromUs: 1e6, toUs: 2e6 })).toBe(1 / 3)
  })

  it('is all where nobody counted', () => {
    expect(threadShareOf(profile, null)).toBe(1)
    expect(threadShareOf(counted, { fromUs: 1e6, toUs: 1.5e6 })).toBe(1)
  })
})

describe('a category', () => {
  it.each([
    ['file:///x/dist/storage/log/log.js', 'log'],
    ['file:///x/.tools/src/execution/executor.js', 'execution'],
    ['file:///x/src/wire/codec.ts', 'encoding'],
    ['file:///x/dist/replica/core/client-gateway.js', 'client'],
    ['file:///x/dist/replica/driver/driver.js', 'protocol'],
    ['file:///x/dist/crypto/node/ahead-verifier.js', 'signatures'],
    ['file:///x/dist/network/node/client-links.js', 'client'],
    ['file:///x/node_modules/quorate/dist/storage/node/node-file.js', 'log'],
    ['file:///x/node_modules/it-pipe/dist/src/index.js', 'links'],
    ['file:///x/node_modules/lodash/index.js', 'other'],
    // Whoever asked for it decides.
    ['file:///x/node_modules/@noble/hashes/sha2.js', null],
    ['node:fs', null],
    ['', null],
  ])('is known by the file: %s', (url, category) => {
    expect(categoryOfFrame('f', url)).toBe(category)
  })

  it('is known of every file that a replica may run', () => {
    const others = ['cli/', 'index.ts', 'simulator/', 'testing/']
    const unknown = readSources().filter(
      ({ path }) =>
        categoryOfFrame('f', `file:///x/src/${path}`) === 'other' && !others.some((one) => path.startsWith(one)),
    )
    expect(unknown.map(({ path }) => path)).toEqual([])
  })
})
