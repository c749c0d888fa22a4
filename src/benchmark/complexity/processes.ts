/**
 * What a block costs real processes: over libp2p, with durable logs and real signatures, by the counters that each replica keeps (docs/complexity.md).
 * A network is started for it, counted (process-counts.ts), and stopped; whatever happens, within `patienceMs`.
 */

import { setMaxListeners } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createLocalNetwork, replicaFolder } from '../../cli/setup/local-network.ts'
import { Supervisor } from '../../cli/supervisor.ts'
import { createClient } from '../../client/node.ts'
import { storeCommandCodec, type StoreCommand } from '../../execution/store/commands.ts'
import { keyValueStore } from '../../execution/store/key-value-store.ts'
import { faultModelOf, type ReplicaId } from '../../kernel/ids.ts'
import type { ReplicaStatus } from '../../replica/replica.ts'
import { encode } from '../../wire/codec.ts'
import type { Contender } from '../contenders.ts'
import { countBlocks, type Cluster } from './process-counts.ts'
import type { GivenUp, ProcessesBlock } from './report.ts'
import { simulatedBlock, simulatedLoneBlock } from './simulated.ts'

/** As many as one key may have sessions: with fewer, hotstuff's leaders find nothing to propose now and then, and propose nothing. */
const clients = 16
const pollMs = 50
/** Many processes on few cores take long to start. */
const patienceMsDefault = 120_000
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
  patienceMs: number = patienceMsDefault,
): Promise<ProcessesBlock | GivenUp> {
  const parent = mkdtempSync(join(tmpdir(), 'quorate-complexity-'))
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), patienceMs)
  const said: string[] = []
  const waiting = { for: 'a network to start' }
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
    const ended = AbortSignal.any([signal, patience.signal])
    // Every request listens to it.
    setMaxListeners(0, ended)
    const cluster = connected(local.networkPath, local.clientKeyPath, ids, ended)
    try {
      const counted = await countBlocks(contender, cluster, waiting)
      const load = { operationsPerBlock: 1, operationBytes, blocks: 8 }
      const simulated = simulatedBlock(contender, replicas, load)
      return {
        ...counted,
        simulated,
        lone: { ...counted.lone, simulated: simulatedLoneBlock(contender, replicas, load) },
      }
    } finally {
      await cluster.close()
    }
  } catch (error) {
    if (signal.aborted) throw error
    const words = said.length === 0 ? '' : `; the processes said: ${said.slice(-3).join('; ')}`
    const { message } = error as Error
    const why = patience.signal.aborted ? `given up after ${patienceMs / 1000} s, waiting for ${waiting.for}` : message
    return { givenUp: `${why}${words}` }
  } finally {
    clearTimeout(timer)
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

function connected(
  network: string,
  key: string,
  ids: readonly ReplicaId[],
  signal: AbortSignal,
): Cluster & { close(): Promise<unknown> } {
  const all = Array.from({ length: clients }, () => createClient({ network, key, stateMachine: keyValueStore }))
  const statusOf = async (id: ReplicaId): Promise<ReplicaStatus | null> => {
    const text = await all[0]!.status(id)
    return text === null ? null : (JSON.parse(text) as ReplicaStatus)
  }
  return {
    clients: all.map((client) => () => client.submit(command, { signal, deadlineMs: patienceMsDefault })),
    statuses: () => Promise.all(ids.map(statusOf)),
    pause: () => wait(pollMs, undefined, { signal }),
    close: () => Promise.all(all.map((client) => client.close())),
  }
}
