// Goal: times of frames are those that a person works out from the samples, and files that are none are refused. Method: profiles of a few samples.

import { describe, expect, it } from 'vitest'
import { frameTree, parseCpuProfile } from '../../../src/benchmark/report/cpu-profile.ts'
import { smallProfile } from './small-profile.ts'

const profile = smallProfile([{ name: 'a' }, { name: 'b', caller: 0 }, { name: '(idle)' }], [0, 1, 1, 2, 0])

describe('a tree of frames', () => {
  it('gives each frame its own time, and to its callers that of all they called', () => {
    const tree = frameTree(profile)
    expect(tree).toMatchObject({ selfUs: 0, totalUs: 4000 })
    expect(tree.children).toMatchObject([{ name: 'a', line: 10, selfUs: 2000, totalUs: 4000 }])
    expect(tree.children[0]!.children).toMatchObject([{ name: 'b', selfUs: 2000, totalUs: 2000, children: [] }])
  })

  it('holds what ran within a window alone, to the microsecond', () => {
    const tree = frameTree(profile, { fromUs: 5_002_500, toUs: 5_003_700 })
    expect(tree).toMatchObject({ totalUs: 1200, children: [{ name: 'a', selfUs: 0, children: [{ selfUs: 1200 }] }] })
    expect(frameTree(profile, { fromUs: 0, toUs: 5_000_000 })).toMatchObject({ totalUs: 0, children: [] })
  })

  it('takes samples in the order of their times', () => {
    const confused = { ...profile, samples: [1, 2, 1], timeDeltas: [1000, 3000, -1000], endTime: 5_005_000 }
    // a at 1 ms, a again at 3 ms, b at 4 ms until the end at 5 ms.
    expect(frameTree(confused).children).toMatchObject([{ name: 'a', selfUs: 3000, children: [{ selfUs: 1000 }] }])
  })

  it('ends where frames call each other in a circle, which no stack does', () => {
    const [root, a, b, ...rest] = profile.nodes
    const circle = { ...profile, nodes: [root!, a!, { ...b!, children: [a!.id, b!.id] }, ...rest] }
    expect(frameTree(circle).totalUs).toBe(4000)
  })
})

describe('a file', () => {
  const withChange = (change: object): string => JSON.stringify({ ...profile, ...change })

  it('is read as V8 wrote it, and what our recorder added beside it', () => {
    expect(parseCpuProfile(JSON.stringify(profile), 'a')).toEqual(profile)
    const quorate = { pid: 7, command: ['start'], usage: [{ atUs: 1, processSeconds: 2, threadSeconds: 1 }] }
    expect(parseCpuProfile(withChange({ quorate }), 'a').quorate).toEqual(quorate)
    expect(parseCpuProfile(withChange({ quorate: { pid: 7, command: [3], usage: [] } }), 'a').quorate).toBeUndefined()
  })

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['no nodes', withChange({ nodes: 1 })],
    ['a node without a frame', withChange({ nodes: [{ id: 1 }] })],
    ['a node that calls words', withChange({ nodes: [{ ...profile.nodes[0], children: ['a'] }] })],
    ['samples that are no numbers', withChange({ samples: profile.samples.map(String) })],
    ['fewer times than samples', withChange({ timeDeltas: [1000] })],
    ['a time that is none', withChange({ endTime: 'late' })],
  ])('is refused: %s', (_name, text) => {
    expect(() => parseCpuProfile(text, 'x.cpuprofile')).toThrow('x.cpuprofile is no CPU profile')
  })
})
