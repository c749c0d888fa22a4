// Goal: what is settled makes room for the next, once; and a command is let go of as soon as an envelope has it.

import { describe, expect, it } from 'vitest'
import { ClientOperation, Room, settle, type Settled } from '../../../src/client/core/operation.ts'
import { clientLimitsDefault as limits } from '../../../src/client/core/client-core.ts'
import { Scripted, words } from './scripted.ts'

const done: Settled = { ok: true, result: new Uint8Array(0), height: 1, index: 0 }
const operation = (bytes: number): ClientOperation => new ClientOperation(new Uint8Array(bytes), () => {})

describe('room', () => {
  it('is for so many operations and so many bytes, and is given back once', () => {
    const room = new Room({ operationsMax: 2, bytesMax: 100 })
    const [large, small] = [operation(90), operation(10)]
    expect([room.enter(large), room.enter(operation(11)), room.enter(small), room.enter(operation(0))]).toEqual([
      true,
      false,
      true,
      false,
    ])
    settle(large, done)
    settle(large, done)
    expect(room.operations).toBe(1)
    expect([room.enter(operation(91)), room.enter(operation(90))]).toEqual([false, true])
  })

  it('is not given back by what was not let in', () => {
    const client = new Scripted({ limits: { ...limits, operationsMax: 1 } })
    client.submit('first')
    for (const command of ['second', 'third']) client.submit(command)
    expect(words(client.settled)).toEqual(['ERR_OVERLOADED definite', 'ERR_OVERLOADED definite'])
    expect(client.core.underWay).toBe(1)
  })
})

describe('a command', () => {
  it('is let go of when it has left, and counts until it is answered', () => {
    const client = new Scripted({ limits: { ...limits, bytesMax: 7 } }).open()
    const first = client.submit('first')
    expect(first.command.length).toBe(5)
    client.turn()
    expect(first.command.length).toBe(0)
    client.submit('two')
    client.replies(1, 1, 'done')
    client.submit('two')
    expect(words(client.settled)).toEqual(['ERR_OVERLOADED definite', 'ok done'])
    expect(client.core.underWay).toBe(1)
  })
})
