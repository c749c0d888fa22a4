/**
 * What a block costs real processes: over libp2p, with durable logs and real signatures, by the counters that each replica keeps (docs/complexity.md).
 *
 * Blocks of one operation each, from a few clients that each wait for one at a time, so that a block's bytes are the same whatever the timing. What
 * begins and ends a chain is left out as in the simulator: a longer chain less a shorter one, both from rest to rest.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createLocalNetwork, replicaFolder } from '../../cli/setup/local-network.ts'
import { Supervisor } from '../../cli/supervisor.ts'
import { createClient, type Client } from '../../client/node.ts'
import { storeCommandCodec, type StoreCommand, type StoreQuery } from '../../execution/store/commands.ts'
import { keyValueStore } from '../../execution/store/key-value-store.ts'
import type { StoreResult } from '../../execution/store/results.ts'
import { faultModelOf, type ReplicaId } from '../../kernel/ids.ts'
import type { ReplicaStatus } from '../../replica/replica.ts'
import { encode } from '../../wire/codec.ts'
import type { Contender } from '../contenders.ts'
import type { ProcessesBlock } from './report.ts'
import { perBlock, simulatedBlock } from './simulated.ts'
import { difference, tallyOf, type Tally } from './tally.ts'

type StoreClient = Client<StoreCommand, StoreQuery, StoreResult>

const clients = 8
const operationsOfShortChain = 160
const pollMs = 100
/** So long nothing happens any more when all is at rest. */
const stillPolls = 5
/** Many processes on few cores take long to start. */
const patienceMs = 300_000
const minuteMs = 60_000

const command: StoreCommand = {
  kind: 'put',
  key: new Uint8Array(8).fill(7),
  value: new Uint8Array(64).fill(7),
  lease: 0,
}
const operationBytes = encode(storeCommandCodec, command).length

export async function blockOnProcesses(
  contender: Contender,
  replicas: number,
  signal: AbortSignal,
): Promise<ProcessesBlock> {
  const parent = mkdtempSync(join(tmpdir(), 'quorate-complexity-'))
  const said: string[] = []
  let supervisor: Supervisor | null = null
  try {
    const dir = join(parent, 'network')
    const { protocol } = contender
    const settings = { dir, name: 'complexity', protocol, replicas, host: '127.0.0.1' }
    const local = await createLocalNetwork({ ...settings, parameters: parametersOf(contender), signal })
    supervisor = new Supervisor({
      networkPath: local.networkPath,
      app: '',
      said: (_, line) => void (typeof line === 'string' && said.push(line)),
    })
    const ids = local.network.epoch.members.map(({ id }) => id)
    for (const id of ids) supervisor.start(id, replicaFolder(dir, id))
    const counted = await count(
      contender,
      ids,
      () => createClient({ network: local.networkPath, key: local.clientKeyPath, stateMachine: keyValueStore }),
      signal,
    )
    const simulated = simulatedBlock(contender, replicas, { operationsPerBlock: 1, operationBytes, blocks: 8 })
    return { ...counted, simulated }
  } catch (error) {
    if (signal.aborted || said.length === 0) throw error
    throw new Error(`${contender.name} on ${replicas} processes, which said: ${said.slice(-3).join('; ')}`, {
      cause: error,
    })
  } finally {
    await supervisor?.stop()
    rmSync(parent, { recursive: true, force: true })
  }
}

/** Nobody's timer comes in between, but for raft's first election. */
function parametersOf({ protocol, rule }: Contender): object {
  const patient = { timeoutMsBase: minuteMs, timeoutMsMax: minuteMs, heartbeatMs: minuteMs / 2, retransmitMs: minuteMs }
  const elected = { timeoutMsBase: 10_000, retransmitMs: minuteMs }
  return {
    batch: { operationsMax: 1, lingerMs: 0 },
    timers: faultModelOf(protocol) === 'crash' ? elected : patient,
    checkpoints: { intervalHeights: 100_000 },
    ...(protocol === 'pbft' ? { pbft: { windowBlocks: 1024 }, checkpoints: { intervalHeights: 1_000 } } : {}),
    ...(protocol === 'hotstuff' ? { hotstuff: { rule } } : {}),
  }
}

async function count(
  contender: Contender,
  ids: readonly ReplicaId[],
  connect: () => StoreClient,
  signal: AbortSignal,
): Promise<Omit<ProcessesBlock, 'simulated'>> {
  const all = Array.from({ length: clients }, connect)
  try {
    // Each opens its session.
    await submitAll(all, clients, signal)
    const measured: Measured[] = [await rest(all[0]!, ids, signal)]
    for (const operations of [operationsOfShortChain, 2 * operationsOfShortChain]) {
      await submitAll(all, operations, signal)
      measured.push(await rest(all[0]!, ids, signal))
    }
    const [start, middle, end] = measured as [Measured, Measured, Measured]
    const blocks = end.height - middle.height - (middle.height - start.height)
    const tally = difference(difference(end.tally, middle.tally), difference(middle.tally, start.tally))
    return { blocks, measured: perBlock(contender, tally, blocks) }
  } finally {
    await Promise.all(all.map((client) => client.close()))
  }
}

async function submitAll(all: readonly StoreClient[], operations: number, signal: AbortSignal): Promise<void> {
  let left = operations
  const work = async (client: StoreClient): Promise<void> => {
    while (left-- > 0) await client.submit(command, { signal, deadlineMs: patienceMs })
  }
  await Promise.all(all.map(work))
}

interface Measured {
  height: number
  tally: Tally
}

/** Everybody has executed the same, and does nothing more. */
async function rest(client: StoreClient, ids: readonly ReplicaId[], signal: AbortSignal): Promise<Measured> {
  let before = ''
  for (let polls = 0, still = 0; polls < patienceMs / pollMs; polls++) {
    await wait(pollMs, undefined, { signal })
    const statuses = await Promise.all(ids.map((id) => statusOf(client, id)))
    const heights = statuses.map((status) => status?.executedHeight ?? -1)
    still = heights.join() === before && new Set(heights).size === 1 ? still + 1 : 0
    before = heights.join()
    if (still < stillPolls) continue
    const tally = tallyOf(statuses.map((status) => ({ work: status!.work, syncs: status!.log.syncs })))
    return { height: heights[0]!, tally }
  }
  throw new Error(`the replicas have not come to rest in ${patienceMs / 1000} s: they stand at ${before}`)
}

async function statusOf(client: StoreClient, id: ReplicaId): Promise<ReplicaStatus | null> {
  const text = await client.status(id)
  return text === null ? null : (JSON.parse(text) as ReplicaStatus)
}
