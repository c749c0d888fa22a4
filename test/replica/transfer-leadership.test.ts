// Goal: an application hands leadership over, and learns what came of it. Method: real replicas in this process.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { get, put, testReplicas, type StoreReplica, type TestReplicas } from './replicas.ts'

describe('handing leadership over', () => {
  let replicas: TestReplicas
  let all: StoreReplica[]
  beforeAll(async () => {
    replicas = await testReplicas(3)
    all = [1, 2, 3].map((id) => replicas.make(id))
    await Promise.all(all.map((replica) => replica.start()))
    await all[0]!.submit(put('before'))
  }, 30_000)
  afterAll(() => replicas.close())

  const leader = (): StoreReplica => all.find((replica) => replica.status().leader === replica.id)!

  it('moves it to the one named, and what was written stays', { timeout: 30_000 }, async () => {
    const from = leader()
    const to = all.find((replica) => replica !== from)!
    expect(await from.transferLeadership({ to: to.id })).toBe(to.id)
    expect((await to.query(get)).result).toMatchObject({ kind: 'value' })
    expect(to.status().role).toBe('leader')
  })

  it('says why not', { timeout: 30_000 }, async () => {
    const leading = leader()
    const following = all.find((replica) => replica !== leading)!
    const refused = { code: 'ERR_TRANSFER_REFUSED', certainty: 'definite' }
    await expect(following.transferLeadership()).rejects.toMatchObject(refused)
    await expect(leading.transferLeadership({ to: leading.id })).rejects.toMatchObject(refused)
    expect(leader()).toBe(leading)
  })
})

describe('wishing for another leader, where members may lie', () => {
  let replicas: TestReplicas
  beforeAll(async () => {
    replicas = await testReplicas(4, {}, 'pbft')
  }, 30_000)
  afterAll(() => replicas.close())

  it('moves nobody alone, and the leader when one more than may lie has wished so', { timeout: 30_000 }, async () => {
    const all = [1, 2, 3, 4].map((id) => replicas.make(id))
    await Promise.all(all.map((replica) => replica.start()))
    await all[0]!.submit(put('before'))
    const first = all[2]!.transferLeadership({ deadlineMs: 1_000 })
    await expect(first).rejects.toMatchObject({ code: 'ERR_DEADLINE', certainty: 'indefinite' })
    expect(all.map((replica) => replica.status().leader)).toEqual([1, 1, 1, 1])
    expect(await all[3]!.transferLeadership()).toBe(2)
    await all[0]!.submit(put('after'))
  })
})

describe('where leaders take turns', () => {
  let replicas: TestReplicas
  beforeAll(async () => {
    replicas = await testReplicas(4, {}, 'hotstuff')
  }, 30_000)
  afterAll(() => replicas.close())

  it('nobody is asked to lead, and whoever wishes is told so at once', async () => {
    const one = replicas.make(1)
    await one.start()
    await expect(one.transferLeadership()).rejects.toMatchObject({
      code: 'ERR_TRANSFER_REFUSED',
      message: expect.stringContaining('take turns'),
    })
  })
})
