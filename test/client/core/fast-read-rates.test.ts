// How often fast reads come together, in virtual time: four replicas that commit a block every few milliseconds, links of a local
// network, and reads at any moment. The counts are what docs/performance.md tells.

import { expect, it } from 'vitest'
import { ClientCore } from '../../../src/client/core/client-core.ts'
import { clientRequestCodec } from '../../../src/kernel/client-messages.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { ClientGateway } from '../../../src/replica/core/client-gateway.ts'
import { Pool } from '../../../src/replica/pool/request-pool.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { decode } from '../../../src/wire/codec.ts'
import { clientKey, createExecutor, none, run } from '../../execution/fixtures.ts'

const ids = [1, 2, 3, 4] as ReplicaId[]
const readsPerRun = 200
const delayMsMin = 0.3
const delayMsMax = 0.8

interface Rates {
  first: number
  second: number
  ordered: number
}

/** A block every so many milliseconds, or none; the fourth replica may say nothing. */
function measure(blockMs: number | null, isSilent: boolean): Rates {
  const random = createRandom(`${blockMs} ${isSilent}`)
  const delayMs = (): number => delayMsMin + (random.below(1_000) / 1_000) * (delayMsMax - delayMsMin)
  let nowMs = 0
  const events: { atMs: number; act: () => void }[] = []
  const after = (ms: number, act: () => void): void => void events.push({ atMs: nowMs + ms, act })
  let asked = 0
  const rates: Rates = { first: 0, second: 0, ordered: 0 }
  const replicas = ids.map((id) => {
    const executor = createExecutor()
    const replica = {
      executor,
      committed: 0,
      votes: new Map<number, number>(),
      gateway: null as unknown as ClientGateway,
    }
    replica.gateway = new ClientGateway({
      pool: new Pool({ forward: () => {} }),
      executor,
      send: (_connection, bytes) => after(delayMs(), () => client.response(id, bytes, nowMs)),
      authentic: () => true,
      read: (readId) => replica.gateway.readReady(readId, replica.committed),
      leader: () => null,
      self: id,
      report: () => none,
    })
    return replica
  })
  const client: ClientCore = new ClientCore({
    network: new Uint8Array(32),
    client: clientKey(9),
    signer: null,
    hasher: simulatedHasher,
    repliesNeeded: 2,
    reads: { kind: 'quorum', quorum: 3 },
    repliesKept: 8,
    replicas: ids,
    nonce: () => Uint8Array.from({ length: 16 }, () => random.below(256)),
    random: random.fork('client'),
    send: (to, request) => {
      const decoded = decode(clientRequestCodec, request)
      if (decoded.ok && decoded.value.kind === 'reads' && to === 1) asked++
      if (isSilent && to === 4) return
      const bytes = Uint8Array.from(request)
      after(delayMs(), () => replicas[to - 1]!.gateway.request(1, bytes, { monotonicMs: nowMs, wallMs: 0 }))
    },
    note: (event) => {
      if (event === 'reads-ordered') rates.ordered++
    },
  })
  for (const id of ids) client.connected(id, nowMs)

  // Each replica votes to commit when the prepares have come, and executes when three votes are there, in order.
  const block = (height: number): void => {
    for (const from of ids) {
      after(2 * delayMs(), () => {
        replicas[from - 1]!.committed = Math.max(replicas[from - 1]!.committed, height)
        for (const to of ids) {
          after(to === from ? 0 : delayMs(), () => {
            const replica = replicas[to - 1]!
            replica.votes.set(height, (replica.votes.get(height) ?? 0) + 1)
            while ((replica.votes.get(replica.executor.height + 1) ?? 0) >= 3)
              replica.gateway.executed(run(replica.executor), { monotonicMs: nowMs, wallMs: 0 })
          })
        }
      })
    }
  }
  const blocks = (height: number, everyMs: number): void => {
    block(height)
    after(everyMs, () => blocks(height + 1, everyMs))
  }
  if (blockMs !== null) blocks(1, blockMs)
  const read = (left: number): void => {
    const [askedBefore, orderedBefore] = [asked, rates.ordered]
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      if (rates.ordered === orderedBefore) rates[asked - askedBefore === 1 ? 'first' : 'second']++
      if (left > 1) after(1 + random.below(20), () => read(left - 1))
    }
    const operation = client.query(none, 'linearizable', over)
    client.endTurn(nowMs)
    // Nobody orders here: what falls back is counted, and given up.
    const look = (): void => {
      if (rates.ordered > orderedBefore) client.abandon(operation, 'ERR_ABORTED', 'counted')
      else if (!isOver) after(0.5, look)
    }
    look()
  }
  after(5, () => read(readsPerRun))
  while (rates.first + rates.second + rates.ordered < readsPerRun) {
    events.sort((left, right) => left.atMs - right.atMs)
    const event = events.shift()!
    nowMs = event.atMs
    event.act()
    if (client.dueMs !== null && client.dueMs <= nowMs) client.endTurn(nowMs)
  }
  return rates
}

it('come together at once on an idle network, whoever is silent', () => {
  expect(measure(null, false)).toEqual({ first: readsPerRun, second: 0, ordered: 0 })
  expect(measure(null, true)).toEqual({ first: readsPerRun, second: 0, ordered: 0 })
})

it.each([
  [10, false, 0.99],
  [2, false, 0.9],
  [1, false, 0.5],
  [10, true, 0.9],
  [2, true, 0.5],
] as const)('come together mostly with a block every %i ms, silent: %s', (blockMs, isSilent, share) => {
  const rates = measure(blockMs, isSilent)
  expect(rates.first + rates.second).toBeGreaterThan(share * readsPerRun)
})
