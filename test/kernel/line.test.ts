// A line that never empties keeps what waits in it, and not what has ever waited.

import { expect, it } from 'vitest'
import { Line } from '../../src/kernel/line.ts'

it('goes on in its order, and keeps fewer than twice those that wait, though somebody always does', () => {
  const line = new Line<number>()
  let next = 0
  for (let pushed = 0; pushed < 10; pushed++) line.push(next++)
  for (let taken = 0; taken < 1000; taken++) {
    line.push(next++)
    expect(line.take()).toBe(taken)
    expect(line.length).toBe(10)
    expect(line.kept).toBeLessThan(20)
  }
  expect(line.first).toBe(1000)
  line.clear()
  expect(line.first).toBeNull()
  expect([line.length, line.kept]).toEqual([0, 0])
})
