// One replica as a process of its own that lies from SIGUSR2 on: what `quorate start`, rightly, has no option for. Arguments: its folder,
// the network file, and how it lies.

import { join } from 'node:path'
import { watchInterruption } from '../../cli/interruption.ts'
import { dataFolderName } from '../../cli/setup/local-network.ts'
import { portableEd25519 } from '../../crypto/portable/ed25519-suite.ts'
import { keyValueStore } from '../../execution/store/key-value-store.ts'
import { memberOf, readIdentity, readNetworkFile } from '../../replica/options.ts'
import { RunningReplica } from '../../replica/running-replica.ts'
import { sleepingLiar } from './sleeping-liar.ts'

const [folder, networkPath, behaviour] = process.argv.slice(2) as [string, string, string]
const interruption = watchInterruption()
const network = readNetworkFile(networkPath)
const identity = readIdentity(folder)
const self = memberOf(network, identity)
const signer = portableEd25519.signer(identity.consensus.secretKey)
const liar = sleepingLiar({ epoch: network.epoch, self, signer, behaviour, seed: '1' })
process.on('SIGUSR2', () => liar.wake())
const replica = new RunningReplica({
  network,
  member: self,
  identity,
  definition: liar.definition,
  stateMachine: keyValueStore,
  dataDir: join(folder, dataFolderName),
  listen: self.addresses,
  clients: 'anyone',
  outgoing: liar.outgoing,
})
// A liar may come to harm by its own lies: its process ends, and that is all that may happen.
replica.closed.catch((cause: unknown) => {
  process.stderr.write(`${String(cause)}\n`)
  process.exit(1)
})
await replica.start()
await interruption.arrived
await replica.close()
process.exit(0)
