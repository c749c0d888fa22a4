// Goal: what waits for a socket is bounded in bytes and frames; the oldest go, and are counted.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { SendQueue } from '../../../src/network/link/send-queue.ts'

function queueOf(limits: { bytesMax: number; framesMax: number }) {
  const written: Uint8Array[] = []
  const socket = { takes: 0 }
  const queue = new SendQueue((frame) => {
    written.push(frame)
    return --socket.takes > 0
  }, limits)
  return { queue, written, socket, first: () => written.map((frame) => frame[0]) }
}

function frame(first: number, length = 10): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes[0] = first
  return bytes
}

describe('SendQueue', () => {
  it('writes at once while the socket takes more, and waits from the first no on', () => {
    const { queue, socket, first } = queueOf({ bytesMax: 100, framesMax: 10 })
    socket.takes = 2
    for (let number = 1; number <= 4; number++) queue.send(frame(number))
    expect(first()).toEqual([1, 2])
    expect(queue).toMatchObject({ waitingFrames: 2, waitingBytes: 20, dropped: 0 })
    socket.takes = 1
    queue.drained()
    expect(first()).toEqual([1, 2, 3])
    socket.takes = 9
    queue.drained()
    queue.send(frame(5))
    expect(first()).toEqual([1, 2, 3, 4, 5])
    expect(queue.waitingBytes).toBe(0)
  })

  it('drops the oldest beyond the bytes, and counts them', () => {
    const { queue, socket, first } = queueOf({ bytesMax: 35, framesMax: 100 })
    for (let number = 0; number <= 10; number++) {
      queue.send(frame(number))
      expect(queue.waitingBytes).toBeLessThanOrEqual(35)
    }
    expect(queue.dropped).toBe(7)
    socket.takes = 99
    queue.drained()
    expect(first()).toEqual([0, 8, 9, 10])
  })

  it('drops the oldest beyond the frames, and counts them', () => {
    const { queue, socket, first } = queueOf({ bytesMax: 1000, framesMax: 2 })
    for (let number = 0; number <= 10; number++) queue.send(frame(number))
    expect(queue.dropped).toBe(8)
    socket.takes = 99
    queue.drained()
    expect(first()).toEqual([0, 9, 10])
  })

  it('keeps nothing of what it has sent or lost', async () => {
    const { queue, socket, written } = queueOf({ bytesMax: 25, framesMax: 100 })
    const refs = Array.from({ length: 20 }, (_, number) => {
      const bytes = frame(number)
      queue.send(bytes)
      return new WeakRef(bytes)
    })
    socket.takes = 1
    queue.drained()
    written.length = 0
    // References are only given up between two turns of the loop.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    expect(refs.filter((ref) => ref.deref() !== undefined)).toHaveLength(queue.waitingFrames)
    expect(queue.waitingFrames).toBe(1)
  })
})

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}
