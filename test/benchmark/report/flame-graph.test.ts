// Goal: a flame graph shows where time went, and whatever a frame is called. Method: the picture's bars, read back from the SVG.

import { describe, expect, it } from 'vitest'
import { frameTree } from '../../../src/benchmark/report/cpu-profile.ts'
import { drawFlameGraph } from '../../../src/benchmark/report/flame-graph.ts'
import { escaped } from '../../../src/benchmark/report/markup.ts'
import { smallProfile, urls } from './small-profile.ts'

interface Bar {
  title: string
  x: number
  y: number
  width: number
}

function barsOf(svg: string): Bar[] {
  const found = svg.matchAll(/<g><title>([^<]*)<\/title><rect x="([0-9.]+)" y="([0-9]+)" width="([0-9.]+)"/g)
  return [...found].map(([, title, x, y, width]) => ({
    title: title!,
    x: Number(x),
    y: Number(y),
    width: Number(width),
  }))
}

describe('a flame graph', () => {
  const profile = smallProfile(
    [{ name: 'c' }, { name: 'a', url: urls.protocol }, { name: 'b', caller: 1 }, { name: 'b', caller: 1 }],
    [0, 1, 2, 3],
  )
  const bars = barsOf(drawFlameGraph(frameTree(profile), 'all of it'))

  it('gives each frame the width of its time and of all it called, below its caller, the widest first', () => {
    expect(bars.map(({ title }) => title.split(' ')[0]).sort()).toEqual(['a', 'all', 'b', 'c'])
    const bar = (name: string): Bar => bars.find(({ title }) => title.startsWith(`${name} `))!
    expect(bar('all')).toMatchObject({ x: 0, width: 1200 })
    expect(bar('a')).toMatchObject({ x: 0, width: 900, y: bar('all').y + 16 })
    // Two calls from one place are one bar.
    expect(bar('b')).toMatchObject({ x: 0, width: 600, y: bar('a').y + 16 })
    expect(bar('c')).toMatchObject({ x: 900, width: 300, y: bar('a').y })
  })

  it('says what a bar is, where, how much of the whole, and what for', () => {
    expect(bars.map(({ title }) => title)).toContain(
      'a (protocols/pbft/prepare.js:10): 75.00%, itself 25.00%, protocol',
    )
  })

  it('leaves out bars that nobody could see', () => {
    const samples = [...Array.from({ length: 5000 }, () => 0), 1]
    const svg = drawFlameGraph(frameTree(smallProfile([{ name: 'wide' }, { name: 'narrow' }], samples)), '')
    expect(barsOf(svg)).toHaveLength(2)
    expect(svg).not.toContain('narrow')
  })

  it('is drawn of nothing, and of stacks as deep as they come', () => {
    expect(barsOf(drawFlameGraph(frameTree(smallProfile([], [])), ''))).toHaveLength(1)
    const deep = Array.from({ length: 2000 }, (_, index) => ({ name: 'f', caller: index - 1 }))
    const svg = drawFlameGraph(frameTree(smallProfile(deep, [1999])), '')
    expect(barsOf(svg)).toHaveLength(120)
  })

  it('escapes what strangers named their functions', () => {
    const svg = drawFlameGraph(frameTree(smallProfile([{ name: '</title><script>"&' }], [0, 0])), '<b>')
    expect(svg).not.toMatch(/<script|<b>/)
    expect(svg).toContain('&lt;/title&gt;&lt;script&gt;&quot;&amp;')
  })
})

describe('text in a document', () => {
  it('is shown as it is, and what no document may hold as unreadable', () => {
    expect(escaped(`<a href='x'>`)).toBe('&lt;a href=&#39;x&#39;&gt;')
    expect(escaped('\u0000\u0007\ud800 \u{1f600}\n')).toBe('\ufffd\ufffd\ufffd \u{1f600}\n')
  })
})
