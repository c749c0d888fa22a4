// What all commands that are clients of a network share: their options, the connection, and its end whatever happens.

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createClient, type Client } from '../client/node.ts'
import type { StateMachineDefinition } from '../execution/state-machine.ts'
import type { ReadNetwork } from '../kernel/network-file.ts'
import { exitCode } from './exit-codes.ts'
import { Failure } from './failure.ts'
import { watchInterruption } from './interruption.ts'
import { readNetworkFile } from './network-files.ts'
import { number, text, UsageError, type OptionSpec, type ParsedOptions } from './options.ts'
import { localNetworkFileName } from './setup/local-network.ts'
import { clientKeyName } from './setup/member-keys.ts'

export const clientOptions: readonly OptionSpec[] = [
  {
    name: 'dir',
    value: 'DIR',
    description: `the network's folder, with ${localNetworkFileName} and ${clientKeyName}`,
    default: 'QUORATE_DIR or ./quorate-network',
  },
  { name: 'network', value: 'FILE', description: 'the network file; with --key, in place of --dir' },
  { name: 'key', value: 'FILE', description: "the client's key file; with --network" },
  { name: 'timeout', value: 'SECONDS', description: 'how long to wait for an answer', default: '10' },
]

export interface ClientSession<Command, Query, Result> {
  readonly client: Client<Command, Query, Result>
  readonly network: ReadNetwork
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** What is left of the timeout: the wait for a replica has used some of it. */
  deadlineMs(): number
}

type Work<Command, Query, Result> = (session: ClientSession<Command, Query, Result>) => Promise<number>

const timeoutSecondsDefault = 10
const timeoutSecondsMax = 3600
const closeMsMax = 500

/** Waits for one replica, works, and closes the client. */
export function withReplica<Command, Query, Result>(
  parsed: ParsedOptions,
  stateMachine: StateMachineDefinition<Command, Query, Result>,
  work: Work<Command, Query, Result>,
): Promise<number> {
  return withClient(parsed, stateMachine, async (session) => {
    const { client, network, timeoutMs } = session
    if (!(await client.ready({ deadlineMs: timeoutMs }))) {
      const seconds = timeoutMs / 1000
      throw new Failure(
        'ERR_NO_REPLICA',
        `no replica of ${network.name} answered within ${seconds} s: check that they run and permit this key`,
      )
    }
    return work(session)
  })
}

/** As `withReplica`, whether or not anybody answers. */
export async function withClient<Command, Query, Result>(
  parsed: ParsedOptions,
  stateMachine: StateMachineDefinition<Command, Query, Result>,
  work: Work<Command, Query, Result>,
): Promise<number> {
  const timeoutMs = number(parsed, 'timeout', timeoutSecondsDefault, 1, timeoutSecondsMax) * 1000
  const files = filesOf(parsed)
  const network = readNetworkFile(files.network)
  const interruption = watchInterruption()
  const interrupted = interruption.arrived.then(() => exitCode.interrupted)
  const endMs = performance.now() + timeoutMs
  try {
    const client = createClient({ network, key: files.key, stateMachine })
    const { signal } = interruption
    const deadlineMs = (): number => Math.max(1, Math.ceil(endMs - performance.now()))
    try {
      const working = work({ client, network, signal, timeoutMs, deadlineMs })
      // What an interrupted work comes to is of no interest any more.
      working.catch(() => {})
      return await Promise.race([interrupted, working])
    } catch (error) {
      if (signal.aborted) return exitCode.interrupted
      throw error
    } finally {
      await closed(client)
    }
  } finally {
    interruption.dispose()
  }
}

/** What is left of a connection must not keep the answer back; and while the timer runs, the process does not end before its code is set. */
async function closed(client: { close(): Promise<void> }): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeMsMax)))
  await Promise.race([client.close(), patience])
  clearTimeout(timer)
}

function filesOf(parsed: ParsedOptions): { network: string; key: string } {
  const network = text(parsed, 'network', '')
  const key = text(parsed, 'key', '')
  const dir = text(parsed, 'dir', '')
  if (network !== '' || key !== '') {
    if (dir !== '') throw new UsageError('--dir stands beside --network or --key: give --dir, or both of the others')
    if (network === '' || key === '') {
      throw new UsageError(`--${network === '' ? 'network' : 'key'} is missing: --network and --key go together`)
    }
    return { network, key }
  }
  const folder = resolve(dir || process.env['QUORATE_DIR'] || 'quorate-network')
  const path = join(folder, localNetworkFileName)
  if (!existsSync(path)) {
    throw new Failure(
      'ERR_FILE_NOT_READ',
      `${path} does not exist: name the network's folder with --dir or QUORATE_DIR`,
    )
  }
  return { network: path, key: join(folder, clientKeyName) }
}
