// One replica on a directory that loses power with its process. It loads, says so, and starts when it is told to: so that its killer
// is not kept waiting for Node, and hits recovery when it wants to.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { keyValueStore } from '../../../src/execution/store/key-value-store.ts'
import { definitionOf } from '../../../src/replica/protocols.ts'
import { memberOf, readIdentity, readNetworkFile } from '../../../src/replica/options.ts'
import { RunningReplica } from '../../../src/replica/running-replica.ts'
import { logLimitsDefault } from '../../../src/storage/log/log.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { openCounts } from './counts-file.ts'
import { powerLossNetwork } from './network.ts'
import type { Told } from './replica-messages.ts'
import { VolatileDirectory, type VolatileOptions } from './volatile-directory.ts'

/** A few blocks: new segments, and syncs of the directory, all the time. */
const segmentBytesMax = 4 * 1024

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    network: { type: 'string' },
    replicas: { type: 'string' },
    counts: { type: 'string' },
  },
})
const { folder, network: networkPath, replicas, counts } = values
if (folder === undefined || networkPath === undefined || replicas === undefined || counts === undefined) {
  throw new Error('replica-process wants --folder, --network, --replicas and --counts')
}

// Whoever started it is gone.
process.on('disconnect', () => process.exit(0))
process.once('message', (seed: string) => void run(seed))
const network = powerLossNetwork(readNetworkFile(networkPath), Number(replicas))
const identity = readIdentity(folder)
tell({ kind: 'loaded' })

async function run(seed: string): Promise<void> {
  const disk = diskOf(seed)
  const replica = new RunningReplica({
    network,
    member: memberOf(network, identity),
    identity,
    definition: definitionOf(network.epoch.protocol),
    stateMachine: keyValueStore,
    dataDir: join(folder!, 'data'),
    listen: memberOf(network, identity).addresses.slice(0, 1),
    clients: 'anyone',
    logLimits: { ...logLimitsDefault, segmentBytesMax },
    openDirectory: (path) => new VolatileDirectory(path, disk),
  })
  replica.closed.catch((cause: unknown) => tell({ kind: 'failed', message: messageOf(cause) }))
  tell({ kind: 'opening' })
  try {
    await replica.start()
    tell({ kind: 'ready', incarnation: replica.status().incarnation })
  } catch (cause) {
    tell({ kind: 'refused', message: messageOf(cause) })
  }
}

/** Each life has another disk: a quick one beside slow ones makes the widest gap between what one has and the others. */
function diskOf(seed: string): VolatileOptions {
  const random = createRandom(`disk ${seed}`)
  const syncMs = random.pick([
    { min: 0, max: 2 },
    { min: 2, max: 8 },
    { min: 15, max: 40 },
  ] as const)
  const leaksPerThousand = random.pick([0, 50, 300] as const)
  return { seed, syncMs, leaksPerThousand, counted: openCounts(counts!) }
}

function tell(told: Told): void {
  process.send?.(told)
}

function messageOf(cause: unknown): string {
  const code = (cause as { code?: unknown }).code
  const message = cause instanceof Error ? cause.message : String(cause)
  return typeof code === 'string' ? `${code} ${message}` : message
}
