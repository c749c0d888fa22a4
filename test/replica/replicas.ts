// Real replicas in this process: a network in a temporary folder on ports of the system, and a disk whose syncs and writes can fail.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalNetwork, dataFolderName, replicaFolder } from '../../src/cli/setup/local-network.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import type { StoreCommand, StoreQuery } from '../../src/execution/store/commands.ts'
import type { StoreResult } from '../../src/execution/store/results.ts'
import type { ProtocolName } from '../../src/kernel/ids.ts'
import type { ReadNetwork } from '../../src/kernel/network-file.ts'
import { definitionOf } from '../../src/replica/protocols.ts'
import { memberOf, readIdentity } from '../../src/replica/options.ts'
import { RunningReplica } from '../../src/replica/running-replica.ts'
import type { RunningReplicaOptions } from '../../src/replica/running-replica-options.ts'
import type { Done, FileError } from '../../src/storage/log/file-port.ts'
import { openNodeDirectory } from '../../src/storage/node/node-directory.ts'
import type { ClosableDirectory } from '../../src/storage/node/open-data-directory.ts'

export type StoreReplica = RunningReplica<StoreCommand, StoreQuery, StoreResult>
type Options = RunningReplicaOptions<StoreCommand, StoreQuery, StoreResult>

export interface TestReplicas {
  network: ReadNetwork
  dir: string
  folder(id: number): string
  dataDir(id: number): string
  /** Not yet started. */
  make(id: number, changes?: Partial<Options>): StoreReplica
  close(): Promise<void>
}

export async function testReplicas(
  replicas: number,
  parameters: object = {},
  protocol: ProtocolName = 'raft',
): Promise<TestReplicas> {
  const parent = mkdtempSync(join(tmpdir(), 'quorate-replica-'))
  const dir = join(parent, 'network')
  const plan = { name: 'test', protocol, replicas, parameters, host: '127.0.0.1' } as const
  const { network } = await createLocalNetwork({ dir, ...plan })
  const made: StoreReplica[] = []
  const folder = (id: number): string => replicaFolder(dir, id)
  const dataDir = (id: number): string => join(folder(id), dataFolderName)
  return {
    network,
    dir,
    folder,
    dataDir,
    make: (id, changes = {}) => {
      const identity = readIdentity(folder(id))
      const member = memberOf(network, identity)
      const definition = definitionOf(protocol)
      const base = { network, member, identity, definition, stateMachine: keyValueStore, dataDir: dataDir(id) }
      const replica = new RunningReplica({ ...base, listen: member.addresses, clients: [], ...changes })
      made.push(replica)
      return replica
    },
    close: async () => {
      await Promise.all(made.map((replica) => replica.close()))
      rmSync(parent, { recursive: true, force: true })
    },
  }
}

export function put(value: string): StoreCommand {
  return { kind: 'put', key: new TextEncoder().encode('key'), value: new TextEncoder().encode(value), lease: 0 }
}

export const get: StoreQuery = { kind: 'get', key: new TextEncoder().encode('key') }

export interface FaultyDisk {
  /** What the next syncs and writes answer, until it is null again. */
  syncError: FileError | null
  writeError: FileError | null
  /** Syncs answer when it is called again with false. */
  hold(on: boolean): void
  open(path: string): ClosableDirectory
}

export function faultyDisk(): FaultyDisk {
  let held: (() => void)[] | null = null
  const disk: FaultyDisk = {
    syncError: null,
    writeError: null,
    hold: (on) => {
      const waiting = held ?? []
      held = on ? waiting : null
      if (!on) for (const go of waiting) go()
    },
    open: (path) => {
      const real = openNodeDirectory(path)
      const sync = (act: (done: Done) => void, done: Done): void => {
        const go = (): void => (disk.syncError === null ? act(done) : void setImmediate(done, disk.syncError))
        if (held === null) go()
        else held.push(go)
      }
      return {
        list: () => real.list(),
        size: (name) => real.size(name),
        read: (name, offset, length) => real.read(name, offset, length),
        remove: (name, done) => real.remove(name, done),
        sync: (done) => real.sync(done),
        close: async () => real.close?.(),
        open: (name) => {
          const file = real.open(name)
          return {
            write: (offset, bytes, done) =>
              disk.writeError === null ? file.write(offset, bytes, done) : void setImmediate(done, disk.writeError),
            sync: (done) => sync((answer) => file.sync(answer), done),
            truncate: (length, done) => file.truncate(length, done),
            close: () => file.close(),
          }
        },
      }
    },
  }
  return disk
}
