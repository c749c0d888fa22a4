// One replica as a process of its own that finds the others where it is told to, and lies if it is told to: what `quorate start`, rightly,
// has no options for. It lies from SIGUSR2 on: until then it does what a correct one would, and may come to
// lead. At SIGUSR1 it wishes that another leads.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../src/crypto/node/sha256-hasher.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import { membershipOf } from '../../src/kernel/membership.ts'
import type { ReadNetwork } from '../../src/kernel/network-file.ts'
import type { ProtocolDefinition } from '../../src/kernel/protocol.ts'
import { createRandom } from '../../src/kernel/random.ts'
import { memberOf, readIdentity, readNetworkFile, type Identity } from '../../src/replica/options.ts'
import { definitionOf } from '../../src/replica/protocols.ts'
import { RunningReplica } from '../../src/replica/running-replica.ts'
import type { Outgoing } from '../../src/replica/running-replica-options.ts'
import { adversarial } from '../../src/simulator/adversaries/adversarial.ts'
import type { Attack } from '../../src/simulator/adversaries/behaviour.ts'
import { framesOf } from '../../src/simulator/adversaries/link.ts'
import { lieNamed } from './lies.ts'
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
let isAwake = false
process.on('SIGUSR2', () => (isAwake = true))
const attack = behaviour === undefined ? null : dormant(attackOf(behaviour, identity))
const honest = definitionOf(network.epoch.protocol)
const replica = new RunningReplica({
  network: seenThrough(network, JSON.parse(addresses) as Record<number, string>),
  member,
  identity,
  definition: attack === null ? honest : (adversarial(honest, attack) as ProtocolDefinition<unknown, unknown>),
  stateMachine: keyValueStore,
  dataDir: join(folder, 'data'),
  listen: member.addresses,
  clients: 'anyone',
  ...(attack === null ? {} : { outgoing: outgoingOf(attack) }),
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

function attackOf(name: string, { consensus }: Identity): Attack<unknown> {
  const { epoch } = network
  const membership = membershipOf(epoch)
  return lieNamed(epoch.protocol, name).create({
    self: member.id,
    epoch,
    membership,
    others: membership.all.filter((id) => id !== member.id),
    signer: nodeEd25519.signer(consensus.secretKey),
    hasher: nodeHasher,
    random: createRandom(`${name} ${seed}`),
  })
}

/** The same, and honest until it is woken. What it forgets it forgets when it starts. */
function dormant(lies: Attack<unknown>): Attack<unknown> {
  const { send, receive, tick, hostItem, frame, reply, payload, decided } = lies
  return {
    ...lies,
    ...(send && { send: (message, to, post) => (isAwake ? send.call(lies, message, to, post) : post(to, message)) }),
    ...(receive && { receive: (message, from, post) => !isAwake || receive.call(lies, message, from, post) }),
    ...(tick && { tick: (post) => isAwake && tick.call(lies, post) }),
    ...(hostItem && { hostItem: (item, to) => (isAwake ? hostItem.call(lies, item, to) : [item]) }),
    ...(frame && { frame: (bytes, to) => (isAwake ? frame.call(lies, bytes, to) : [bytes]) }),
    ...(reply && { reply: (bytes) => (isAwake ? reply.call(lies, bytes) : bytes) }),
    ...(payload && { payload: (bytes) => (isAwake ? payload.call(lies, bytes) : bytes) }),
    ...(decided && { decided: (blocks) => (isAwake ? decided.call(lies, blocks) : blocks) }),
  } as Attack<unknown>
}

function outgoingOf(lies: Attack<unknown>): Outgoing {
  return {
    frame: (bytes, to) => framesOf(lies, to, bytes),
    reply: (bytes) => [lies.reply === undefined ? bytes : lies.reply(bytes)].filter((one) => one !== null),
  }
}
