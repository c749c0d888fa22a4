// `quorate up`: a whole network on this machine, each replica a process, shown to agree, until Ctrl-C.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createClient } from '../../client/node.ts'
import { keyValueStore } from '../../execution/store/key-value-store.ts'
import { faultModelOf, protocolNames, type ProtocolName, type ReplicaId } from '../../kernel/ids.ts'
import { votersMin } from '../../kernel/quorum.ts'
import { readNetworkFile } from '../../replica/options.ts'
import { showAgreement, type Agreement } from '../agreement.ts'
import { applicationOption } from '../application.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { watchInterruption, type Interruption } from '../interruption.ts'
import {
  flag,
  number,
  oneOf,
  parseOptions,
  text,
  UsageError,
  type CommandSpec,
  type ParsedOptions,
} from '../options.ts'
import { table, type Output } from '../output.ts'
import { clientKeyName } from '../setup/member-keys.ts'
import { createLocalNetwork, localNetworkFileName, portsPerReplica, replicaFolder } from '../setup/local-network.ts'
import { shellPath } from '../shell-words.ts'
import { Supervisor } from '../supervisor.ts'

const replicasMax = 31
const agreementMsMax = 60_000

const spec: CommandSpec = {
  name: 'up',
  summary: 'runs a network of replicas on this machine until Ctrl-C',
  usage: 'quorate up [--protocol raft] [--replicas 3] [--dir DIR] [options]',
  options: [
    { name: 'protocol', value: 'PROTOCOL', description: protocolNames.join(', '), default: 'raft' },
    { name: 'replicas', value: 'N', description: 'how many processes', default: '3, or 4 to survive arbitrary faults' },
    {
      name: 'dir',
      value: 'DIR',
      description: 'where the network lives; made if absent',
      default: 'a folder that goes with it',
    },
    { name: 'host', value: 'ADDRESS', description: 'an IP address of this machine', default: '127.0.0.1' },
    { name: 'port', value: 'BASE', description: 'the first port of a new network', default: 'ports that are free now' },
    applicationOption,
    { name: 'once', description: 'ends when the replicas have been seen to agree' },
    { name: 'json', description: 'prints each event as a line of JSON' },
  ],
  examples: ['quorate up', 'quorate up --protocol raft --replicas 5 --dir net', 'quorate up --once --json'],
}

export const upCommand: Command = { spec, run }

interface Place {
  dir: string
  isTemporary: boolean
}

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  if (parsed.positionals.length > 0) throw new UsageError(`${parsed.positionals[0]} is not an option`)
  const protocol = oneOf(parsed, 'protocol', 'raft', protocolNames)
  const interruption = watchInterruption()
  const place = placeOf(parsed)
  try {
    await makeNetwork(parsed, protocol, place.dir, interruption)
    return await runNetwork(parsed, place, interruption, output)
  } catch (error) {
    if (!interruption.signal.aborted) throw error
    return exitCode.interrupted
  } finally {
    interruption.dispose()
    if (place.isTemporary) rmSync(join(place.dir, '..'), { recursive: true, force: true })
  }
}

function placeOf(parsed: ParsedOptions): Place {
  const dir = text(parsed, 'dir', '')
  if (dir !== '') return { dir: resolve(dir), isTemporary: false }
  return { dir: join(mkdtempSync(join(tmpdir(), 'quorate-up-')), 'network'), isTemporary: true }
}

/** A network that is there already is run as it is: what was asked for must not differ from it. */
async function makeNetwork(
  parsed: ParsedOptions,
  protocol: ProtocolName,
  dir: string,
  interruption: Interruption,
): Promise<void> {
  const path = join(dir, localNetworkFileName)
  const replicas = number(parsed, 'replicas', votersMin(faultModelOf(protocol)), 1, replicasMax)
  if (existsSync(path)) {
    const { epoch } = readNetworkFile(path)
    const asked = (name: string): boolean => parsed.values[name] !== undefined
    const differs =
      (asked('protocol') && epoch.protocol !== protocol) || (asked('replicas') && epoch.members.length !== replicas)
    if (!differs) return
    const message = `${dir} holds a network of ${epoch.members.length} replicas with ${epoch.protocol}: name another folder, or leave out --protocol and --replicas`
    throw new Failure('ERR_OTHER_NETWORK', message)
  }
  const port = number(parsed, 'port', 0, 1, 65_535 - portsPerReplica * replicas + 1)
  const host = text(parsed, 'host', '127.0.0.1')
  const { signal } = interruption
  await createLocalNetwork({ dir, name: 'local', protocol, replicas, host, signal, ...(port === 0 ? {} : { port }) })
}

async function runNetwork(
  parsed: ParsedOptions,
  { dir, isTemporary }: Place,
  interruption: Interruption,
  output: Output,
): Promise<number> {
  const json = flag(parsed, 'json')
  const app = text(parsed, 'app', '')
  const networkPath = join(dir, localNetworkFileName)
  const { epoch } = readNetworkFile(networkPath)
  const ids = epoch.members.map((member) => member.id)
  const say = (sentence: string, event: string, detail: object): void =>
    output.out(json ? JSON.stringify({ event, ...detail }) : sentence)
  const supervisor = new Supervisor({
    networkPath,
    app,
    said: (id, line) => {
      if (typeof line === 'string') output.error(`replica ${id}: ${line}`)
      else if (json) output.out(JSON.stringify({ event: 'replica', replica: id, said: line }))
    },
  })
  // Without it the replica would come back with the built-in store, and execute something else than the others.
  const withApp = app === '' ? '' : ` --app ${shellPath(app)}`
  let stopping = false
  const someEnded = new AbortController()
  try {
    say(`Starting ${ids.length} replicas with ${epoch.protocol}, each a process, in ${dir}`, 'starting', {
      dir,
      replicas: ids,
    })
    const replicas = ids.map((id) => supervisor.start(id, replicaFolder(dir, id)))
    for (const replica of replicas) {
      void replica.ended.then((how) => {
        someEnded.abort()
        if (stopping || interruption.signal.aborted) return
        const again = `npx quorate start --dir ${shellPath(replica.dir)}${withApp}`
        say(`replica ${replica.id} (process ${replica.pid}) ended: ${how}; to start it again: ${again}`, 'ended', {
          replica: replica.id,
          how,
        })
      })
    }
    const allEnded = Promise.all(replicas.map((replica) => replica.ended)).then(() => 'all replicas ended')
    const pids = replicas.map(({ id, pid }) => ({ replica: id, pid }))
    if (app === '') {
      const agreed = await agree(dir, ids, AbortSignal.any([interruption.signal, someEnded.signal]))
      if (interruption.signal.aborted) return exitCode.interrupted
      if (agreed === null) {
        const why = someEnded.signal.aborted ? 'one ended before that' : 'within 60 s'
        output.error(`the replicas have not been seen to agree (${why}): look at what they said above`)
        return exitCode.failed
      }
      printAgreement(agreed, pids, say)
    }
    if (flag(parsed, 'once')) return exitCode.ok
    if (!json) printHints(dir, isTemporary, pids, withApp, output)
    const end = await Promise.race([interruption.arrived, allEnded])
    if (!interruption.signal.aborted) {
      output.error(`${end}: nothing runs any more`)
      return exitCode.failed
    }
    say('Stopping', 'stopping', { reason: end })
    return exitCode.interrupted
  } finally {
    stopping = true
    await supervisor.stop(interruption.again)
  }
}

async function agree(dir: string, ids: readonly ReplicaId[], signal: AbortSignal): Promise<Agreement | null> {
  const client = createClient({
    network: join(dir, localNetworkFileName),
    key: join(dir, clientKeyName),
    stateMachine: keyValueStore,
  })
  try {
    return await showAgreement(client, ids, agreementMsMax, signal)
  } catch (error) {
    if (signal.aborted) return null
    throw error
  } finally {
    await client.close()
  }
}

function printAgreement(
  agreement: Agreement,
  pids: readonly { replica: ReplicaId; pid: number }[],
  say: (sentence: string, event: string, detail: object) => void,
): void {
  const { value, height, headerHeight, header, replicas, ms } = agreement
  say(`Put "${value}" at height ${height} and read it back after ${ms} ms.`, 'agreed', {
    ...agreement,
    processes: pids,
  })
  const rows = pids.map(({ replica, pid }) => [
    `  replica ${replica}`,
    `process ${pid}`,
    `executed height ${headerHeight}`,
    `header ${header.slice(0, 16)}`,
  ])
  for (const line of table(rows)) say(line, 'replica-agrees', {})
  say(`All ${replicas.length} agree.`, 'all-agree', { replicas })
}

function printHints(
  dir: string,
  isTemporary: boolean,
  pids: readonly { replica: ReplicaId; pid: number }[],
  withApp: string,
  output: Output,
): void {
  const where = shellPath(dir)
  output.out('')
  output.out('Try, in another terminal:')
  if (withApp === '') {
    output.out(`  npx quorate put colour green --dir ${where}`)
    output.out(`  npx quorate get colour --dir ${where}`)
  } else {
    output.out(`  npx quorate submit 'a command as JSON'${withApp} --dir ${where}`)
  }
  output.out(`  npx quorate status --dir ${where}`)
  output.out(`  kill -9 ${pids[0]!.pid}    (the others go on)`)
  output.out(
    isTemporary ? 'Ctrl-C ends it, and removes its folder.' : 'Ctrl-C ends it; the same command goes on with it.',
  )
}
