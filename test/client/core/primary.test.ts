// Goal: what is new goes to the primary alone as long as that pays: its silence ends that for a while, and for longer each time in a row.
// Method: the rule alone on a clock of numbers, then a client with scripted replicas, of which two have named the first.

import { describe, expect, it } from 'vitest'
import { clientLimitsDefault } from '../../../src/client/core/client-core.ts'
import { Primary } from '../../../src/client/core/primary.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { operationsIn, Scripted, type Sent } from './scripted.ts'

const { retryMsMin, retryMsMax, primaryAloneMs } = clientLimitsDefault
const ids = [1, 2, 3, 4] as ReplicaId[]
const voters = new Set(ids)

function primary(): Primary {
  const one = new Primary(2, { retryMsMin, retryMsMax })
  for (const from of ids.slice(1, 3)) one.hint(from, ids[0]!)
  one.reach(ids)
  return one
}

/** How long everything goes to all after this silence. */
function pauseMs(one: Primary, nowMs: number): number {
  one.wasSilent(ids[0]!, nowMs, nowMs)
  let ms = 0
  while (one.addressees(voters, nowMs + ms).length > 1) ms += 100
  return ms
}

describe('a primary that is silent', () => {
  it('is not asked alone for a second, then twice as long each time, up to a bound', () => {
    const one = primary()
    let nowMs = 0
    const pauses = [1, 2, 3, 4, 5].map(() => {
      const ms = pauseMs(one, nowMs)
      nowMs += ms
      return ms
    })
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 8_000])
    expect(pauses.at(-1)).toBe(retryMsMax)
  })

  it('is not silent twice because two had left before, however late the second is found to be', () => {
    const one = primary()
    one.wasSilent(ids[0]!, 10, 100)
    one.wasSilent(ids[0]!, 20, 500)
    one.wasSilent(ids[0]!, 30, 1_100)
    expect(one.addressees(voters, 1_100)).toEqual([1])
    expect(pauseMs(one, 1_100)).toBe(2_000)
  })

  it('is another one by now: nothing is said of whom all ask today', () => {
    const one = primary()
    for (const from of [3, 4] as ReplicaId[]) one.hint(from, 2 as ReplicaId)
    one.wasSilent(ids[0]!, 0, 100)
    one.wasSilent(null, 0, 100)
    expect(one.addressees(voters, 100)).toEqual([2])
    one.wasSilent(ids[1]!, 0, 100)
    one.wasInTime(ids[0]!)
    one.wasInTime(null)
    one.wasSilent(ids[1]!, 5_000, 5_000)
    expect(one.addressees(voters, 6_999)).toHaveLength(4)
  })

  it('begins anew once it has answered what it had alone, or is another one', () => {
    const one = primary()
    pauseMs(one, 0)
    one.wasInTime(ids[0]!)
    expect(pauseMs(one, 10_000)).toBe(1_000)
    one.wasSilent(ids[0]!, 19_000, 20_000)
    for (const from of [3, 4] as ReplicaId[]) one.hint(from, 2 as ReplicaId)
    expect(one.addressees(voters, 20_000)).toEqual([2])
    one.wasSilent(ids[1]!, 30_000, 30_000)
    expect(one.addressees(voters, 30_999)).toHaveLength(4)
    expect(one.addressees(voters, 31_000)).toEqual([2])
  })
})

describe('a client', () => {
  const operationsTo = (sent: readonly Sent[]): number[] =>
    sent.filter((one) => operationsIn([one]).length > 0).map((one) => one.to)

  /** The first operation of its session has gone to all four. */
  function started(): Scripted {
    const client = new Scripted({ repliesNeeded: 2 }, ids).open()
    for (const from of ids.slice(1, 3)) client.says(from, { kind: 'hint', leader: ids[0]! })
    client.submit('first')
    expect(operationsTo(client.turn())).toEqual(ids)
    return client
  }

  function answers(client: Scripted, number: number): void {
    for (const from of [1, 2]) client.replies(from, number, 'done')
  }

  it('waits for what went to all as long as for anything, and blames nobody', () => {
    const client = started()
    const sentMs = client.nowMs
    expect(client.core.dueMs! - sentMs).toBeGreaterThanOrEqual(retryMsMin)
    client.next()
    answers(client, 1)
    client.submit('second')
    expect(operationsTo(client.turn())).toEqual([1])
  })

  it('says what one had alone once more to all, and waits for that as for anything', () => {
    const client = started()
    answers(client, 1)
    client.submit('second')
    expect(operationsTo(client.turn())).toEqual([1])
    expect(client.core.dueMs! - client.nowMs).toBeLessThanOrEqual(primaryAloneMs)
    expect(operationsTo(client.next())).toEqual(ids)
    // It went to all now: its silence says nothing about the one, who is asked alone again a second after it was silent.
    const silentMs = client.nowMs
    client.next()
    expect(client.nowMs - silentMs).toBeGreaterThanOrEqual(retryMsMin)
    client.submit('third')
    expect(operationsTo(client.turn())).toEqual([1])
  })

  it('asks all for a second after each silence between which answers came in time, and for two after two in a row', () => {
    const client = started()
    answers(client, 1)
    let number = 2
    const silence = (): void => {
      client.submit('late')
      expect(operationsTo(client.turn())).toEqual([1])
      client.next()
      answers(client, number++)
    }
    const answer = (): number[] => {
      client.submit('in time')
      const to = operationsTo(client.turn())
      answers(client, number++)
      return to
    }
    silence()
    expect(answer()).toEqual(ids)
    client.nowMs += retryMsMin
    expect(answer()).toEqual([1])
    silence()
    client.nowMs += retryMsMin
    expect(answer()).toEqual([1])
    silence()
    client.nowMs += retryMsMin
    silence()
    client.nowMs += retryMsMin
    expect(answer()).toEqual(ids)
    client.nowMs += retryMsMin
    expect(answer()).toEqual([1])
  })
})
