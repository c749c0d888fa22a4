// `quorate start`: one replica, in this process, until it is told to stop.

import { join, resolve } from 'node:path'
import { createReplica } from '../../replica/create-replica.ts'
import {
  transferBytesPerSecond,
  transferBytesPerSecondMax,
  transferBytesPerSecondMin,
} from '../../replica/checkpoints/limits.ts'
import type { Replica } from '../../replica/replica.ts'
import { applicationOption, loadApplication } from '../application.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { spareFullCollections } from '../full-collections.ts'
import { watchInterruption, type Interruption } from '../interruption.ts'
import { flag, number, parseOptions, requiredText, text, texts, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { networkPathFor, permittedClients, requireReplicaFolder } from '../replica-folder.ts'
import { dataFolderName } from '../setup/local-network.ts'

const spec: CommandSpec = {
  name: 'start',
  summary: 'runs one replica until Ctrl-C',
  usage: 'quorate start --dir DIR [options]',
  options: [
    { name: 'dir', value: 'DIR', description: "the replica's folder, with its keys and data/" },
    { name: 'network', value: 'FILE', description: 'the network file', default: 'network.json in DIR or above it' },
    applicationOption,
    {
      name: 'clients',
      value: 'WHO',
      description: 'anyone, or a file with the public keys of those who may connect',
      default: 'clients.txt beside the network file',
    },
    {
      name: 'listen',
      value: 'ADDRESS',
      description: 'a multiaddress to listen at; may be repeated',
      default: 'the addresses in the network file',
      repeatable: true,
    },
    {
      name: 'rejoin',
      description: 'where the log is lost: keep what is left beside a new one, and follow without a vote from then on',
    },
    {
      name: 'transfer-rate',
      value: 'BYTES',
      description: 'bytes a second handed out to replicas that lag behind; a quarter while it leads',
      default: String(transferBytesPerSecond),
    },
    { name: 'json', description: 'prints each event as a line of JSON' },
  ],
  examples: [
    'quorate start --dir net/replica-1',
    'quorate start --dir net/replica-1 --rejoin',
    'quorate start --dir replica --listen /ip4/0.0.0.0/tcp/4001 --clients anyone',
  ],
}

export const startCommand: Command = { spec, run }

/** What a replica on its way out may take before the process ends all the same. */
const closeMsMax = 5_000

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  if (parsed.positionals.length > 0) throw new UsageError(`${parsed.positionals[0]} is not an option`)
  const dir = resolve(requiredText(parsed, spec, 'dir'))
  const [rate, rateMin, rateMax] = [transferBytesPerSecond, transferBytesPerSecondMin, transferBytesPerSecondMax]
  const transferRate = number(parsed, 'transfer-rate', rate, rateMin, rateMax)
  requireReplicaFolder(dir)
  const networkPath = text(parsed, 'network', networkPathFor(dir))
  const listen = texts(parsed, 'listen')
  spareFullCollections()
  const interruption = watchInterruption()
  const report = reporter(output, flag(parsed, 'json'))
  try {
    const replica = await createReplica({
      network: networkPath,
      identity: dir,
      dataDir: join(dir, dataFolderName),
      stateMachine: await loadApplication(text(parsed, 'app', '')),
      clients: permittedClients(text(parsed, 'clients', ''), networkPath),
      ...(listen.length > 0 ? { listen } : {}),
      rejoin: flag(parsed, 'rejoin'),
      transferBytesPerSecond: transferRate,
      signal: interruption.signal,
    })
    watch(replica, report)
    reportVoice(replica, report)
    report('listening', `replica ${replica.id} (${replica.name}) listens at ${replica.addresses().join(', ')}`, {
      replica: replica.id,
      addresses: replica.addresses(),
    })
    return await untilTheEnd(replica, interruption, report)
  } catch (error) {
    if (!interruption.signal.aborted) throw error
    return exitCode.interrupted
  } finally {
    interruption.dispose()
  }
}

type Report = (event: string, sentence: string, detail: Readonly<Record<string, unknown>>) => void

function reporter(output: Output, json: boolean): Report {
  return (event, sentence, detail) => {
    const at = new Date().toISOString()
    output.out(json ? JSON.stringify({ at, event, ...detail }) : `${at} ${sentence}`)
  }
}

/** What is not as with any other start. */
function reportVoice(replica: Replica<unknown, unknown, unknown>, report: Report): void {
  const { voice, rejoined, warnings } = replica.status()
  if (rejoined !== null) report('rejoined', rejoined, { rejoined, voice })
  for (const warning of warnings) report('warning', `replica ${replica.id} ${warning}`, { warning })
}

function watch(replica: Replica<unknown, unknown, unknown>, report: Report): void {
  replica.events.on('leader', ({ leader, view }) =>
    report('leader', leader === null ? `nobody leads in view ${view}` : `replica ${leader} leads in view ${view}`, {
      leader,
      view,
    }),
  )
  replica.events.on('protocol', ({ kind, detail }) => {
    // Where leaders take turns, this is what tells of one that does nothing.
    if (kind === 'view-given-up')
      report(kind, `gives up view ${detail?.['view']}, which has brought nothing`, { ...detail })
  })
  const seen = new Map<number, string>()
  replica.events.on('peer', ({ replica: peer, connected, reason }) => {
    // A peer that is away is dialled over and over: it is news once.
    const news = connected ? 'connected' : 'away'
    if (seen.get(peer) === news) return
    seen.set(peer, news)
    report('peer', connected ? `replica ${peer} is connected` : `replica ${peer} is away (${reason})`, {
      peer,
      connected,
      reason,
    })
  })
  replica.events.on('refused', ({ by, reason, incarnation, message }) =>
    report('refused', message, { by, reason, incarnation }),
  )
  replica.events.on('restored', ({ height }) =>
    report('restored', `took over the state of height ${height} from others`, { height }),
  )
  replica.events.on('accused', ({ replica: liar, domain, about, isKept }) =>
    report('accused', `has proof that replica ${liar} contradicts itself: ${domain}, ${about}`, {
      replica: liar,
      domain,
      about,
      isKept,
    }),
  )
  replica.events.on('storage', ({ stalled, message }) =>
    report('storage', stalled ? `stopped voting: ${message}` : 'votes again', { stalled, message }),
  )
}

async function untilTheEnd(
  replica: Replica<unknown, unknown, unknown>,
  interruption: Interruption,
  report: Report,
): Promise<number> {
  const failure = replica.closed.then(
    () => null,
    (cause: unknown) => ({ cause }),
  )
  const end = await Promise.race([interruption.arrived, failure])
  if (typeof end === 'string') {
    report('stopping', `stops: ${end}`, { reason: end })
    await ended(replica, interruption, exitCode.interrupted)
    return exitCode.interrupted
  }
  if (end === null) return exitCode.ok
  const reason = end.cause instanceof Error ? end.cause.message : String(end.cause)
  report('failed', `failed for good: ${reason}`, { reason })
  await ended(replica, interruption, exitCode.failed)
  return exitCode.failed
}

/** A disk that hangs must not keep the process for ever, nor whoever has pressed Ctrl-C again. */
async function ended(
  replica: Replica<unknown, unknown, unknown>,
  interruption: Interruption,
  code: number,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), closeMsMax)))
  const hurry = interruption.again.then(() => 'late' as const)
  const how = await Promise.race([replica.close(), patience, hurry])
  clearTimeout(timer)
  if (how === 'late') process.exit(code)
}
