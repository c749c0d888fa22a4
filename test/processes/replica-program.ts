// One replica as a process of its own that finds the others where it is told to, and lies if it is told to: what `quorate start`, rightly,
// has no options for. It lies from SIGUSR2 on: until then it does what a correct one would, and may come to
// lead. At SIGUSR1 it wishes that another leads.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sleepingLiar, type SleepingLiar } from '../../src/benchmark/lies/sleeping-liar.ts'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import type { ReadNetwork } from '../../src/kernel/network-file.ts'
import { memberOf, readIdentity, readNetworkFile, type Identity } from '../../src/replica/options.ts'
import { definitionOf } from '../../src/replica/protocols.ts'
import { RunningReplica } from '../../src/replica/running-replica.ts'
import { readyLine } from './ready-line.ts'

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    network: { type: 'string' },
    addresses: { type: 'string' },
    behaviour: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
})
const { folder, network: networkPath, addresses, behaviour, seed } = values
if (folder === undefined || networkPath === undefined || addresses === undefined) {
  throw new Error('replica-program wants --folder, --network and --addresses')
}

const network = readNetworkFile(networkPath)
const identity = readIdentity(folder)
const member = memberOf(network, identity)
const liar = behaviour === undefined ? null : liarOf(behaviour, identity)
process.on('SIGUSR2', () => liar?.wake())
const replica = new RunningReplica({
  network: seenThrough(network, JSON.parse(addresses) as Record<number, string>),
  member,
  identity,
  definition: liar?.definition ?? definitionOf(network.epoch.protocol),
  stateMachine: keyValueStore,
  dataDir: join(folder, 'data'),
  listen: member.addresses,
  clients: 'anyone',
  ...(liar === null ? {} : { outgoing: liar.outgoing }),
})
// A liar may come to harm by its own lies: its process ends, and that is all that may happen.
replica.closed.catch((cause: unknown) => {
  process.stderr.write(`${String(cause)}\n`)
  process.exit(1)
})
replica.events.on('protocol', ({ kind, detail }) => process.stdout.write(`${kind} ${JSON.stringify(detail ?? {})}\n`))
await replica.start()
// Where nothing can be handed over it is a wish, which counts when others have it too.
process.on('SIGUSR1', () => void replica.transferLeadership({ deadlineMs: 1_000 }).catch(() => {}))
// A signal before this would end the process.
process.stdout.write(`${readyLine}\n`)

/** The same network, whose members are to be found elsewhere. */
function seenThrough(read: ReadNetwork, places: Record<number, string>): ReadNetwork {
  const members = read.epoch.members.map((one) => ({
    ...one,
    addresses: places[one.id] === undefined ? one.addresses : [places[one.id]!],
  }))
  return { ...read, epoch: { ...read.epoch, members } }
}

function liarOf(name: string, { consensus }: Identity): SleepingLiar {
  const signer = nodeEd25519.signer(consensus.secretKey)
  return sleepingLiar({ epoch: network.epoch, self: member, signer, behaviour: name, seed })
}
