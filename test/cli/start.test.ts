// What `quorate start` is told reaches the replica. Method: the built command as a process, asked by a client.

import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLocalNetwork } from '../../src/cli/setup/local-network.ts'
import { createClient } from '../../src/client/node.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import { replicaId } from '../../src/kernel/ids.ts'
import type { ReplicaStatus } from '../../src/replica/replica.ts'
import { buildCli, type BuiltCli } from './built-cli.ts'

let cli: BuiltCli
beforeAll(() => {
  cli = buildCli()
}, 120_000)
afterAll(() => cli.remove())

it('takes the rate of transfers, and refuses one out of bounds', async () => {
  const dir = join(cli.folder, 'network')
  const local = await createLocalNetwork({ dir, name: 'local', protocol: 'raft', replicas: 3, host: '127.0.0.1' })
  const start = ['start', '--dir', join(dir, 'replica-1')]
  expect(await cli.run(...start, '--transfer-rate', '9')).toMatchObject({
    code: 2,
    error: expect.stringContaining('--transfer-rate is 9, and must be a whole number from 65536 to 1073741824'),
  })
  const replica = cli.start(...start, '--transfer-rate', '1000000')
  await new Promise((resolve) => replica.process.stdout!.once('data', resolve))
  const client = createClient({ network: local.networkPath, key: local.clientKeyPath, stateMachine: keyValueStore })
  await client.ready({ replicas: 1 })
  const { checkpoints } = JSON.parse((await client.status(replicaId(1)))!) as ReplicaStatus
  await client.close()
  // Alone it leads nobody.
  expect(checkpoints.servedBytesPerSecondMax).toBe(1_000_000)
  replica.process.kill('SIGTERM')
  expect((await replica.ended).code).toBe(130)
}, 60_000)
