// Goal: the directories of replicas that ran and were correct are verified whole. Method: real replicas in this process, stopped, audited.

import { expect, it } from 'vitest'
import { auditCommand } from '../../../src/cli/commands/audit.ts'
import { createClient } from '../../../src/client/node.ts'
import { keyValueStore } from '../../../src/execution/store/key-value-store.ts'
import { networkNamed, networks } from '../../networks.ts'
import { put, testReplicas, type StoreReplica } from '../../replica/replicas.ts'

const intervalHeights = 4

it.each([...networks, networkNamed('hotstuff:three-chain')])(
  'verifies what replicas of $protocol have written, $parameters',
  async ({ protocol, replicas: count, parameters }) => {
    const replicas = await testReplicas(count, { checkpoints: { intervalHeights }, ...parameters }, protocol)
    const ids = Array.from({ length: count }, (_, index) => index + 1)
    try {
      const snapshotPolicy = { logBytesMin: 1, writtenPercentMin: 1, sliceBytesMax: 1 << 20 }
      const running = ids.map((id) => replicas.make(id, { snapshotPolicy, clients: 'anyone' }))
      await Promise.all(running.map((replica) => replica.start()))
      const key = { secretKey: new Uint8Array(32).fill(7) }
      const client = createClient({ network: replicas.network, key, stateMachine: keyValueStore })
      for (let number = 0; number < 10; number++) await client.submit(put(`value ${number}`), { deadlineMs: 20_000 })
      await client.close()
      await expect
        // A certificate that is being written when its replica ends is not whole.
        .poll(() => running.every((replica) => isAtRest(replica, 10)), { timeout: 20_000 })
        .toBe(true)
      await Promise.all(running.map((replica) => replica.close()))
      const said: string[] = []
      const plain = (text: string): string => text
      const output = {
        out: (line: string) => void said.push(line),
        error: (line: string) => void said.push(line),
        progress: () => {},
      }
      const folders = ids.map((id) => replicas.folder(id))
      const code = await auditCommand.run([...folders, '--json'], { ...output, bold: plain, red: plain, green: plain })
      const result = JSON.parse(said.join('\n')) as {
        directories: { faults: object[]; decided: number }[]
        compared: number
      }
      expect(result.directories.flatMap(({ faults }) => faults)).toEqual([])
      expect(result).toMatchObject({ ok: true, lies: [], disagreements: [] })
      expect(code).toBe(0)
      expect(result.compared).toBeGreaterThan(5)
      if (protocol !== 'raft') expect(result.directories[0]!.decided).toBeGreaterThan(0)
    } finally {
      await replicas.close()
    }
  },
  60_000,
)

/** It has executed so much, and the newest certificate is on disk. */
function isAtRest(replica: StoreReplica, height: number): boolean {
  const { executedHeight, checkpoints } = replica.status()
  const newest = executedHeight - (executedHeight % intervalHeights)
  return executedHeight >= height && checkpoints.stableHeight === newest
}
