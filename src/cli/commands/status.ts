// `quorate status`: asks every replica of the network file how it is.

import { performance } from 'node:perf_hooks'
import { keyValueStore } from '../../execution/store/key-value-store.ts'
import { membershipOf } from '../../kernel/membership.ts'
import { clientOptions, withClient } from '../client.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { flag, parseOptions, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { readReport } from '../replica-report.ts'
import { behind, highestDecided, statusTable, type SeenReplica } from '../status-table.ts'
import { positionals, type StoreSession } from '../store-session.ts'

const spec: CommandSpec = {
  name: 'status',
  summary: 'shows how every replica of a network is',
  usage: 'quorate status [--json] [--watch] [options]',
  options: [
    { name: 'watch', description: 'shows it anew every second until Ctrl-C' },
    { name: 'json', description: 'prints JSON, with --watch a line each second' },
    ...clientOptions,
  ],
  examples: ['quorate status --dir net', 'quorate status --watch --dir net'],
}

export const statusCommand: Command = { spec, run }

/** Who is there answers well within this, and who is away is not waited for any longer. */
const patienceMs = 2_000
const watchPauseMs = 1_000

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  positionals(parsed, [])
  const isJson = flag(parsed, 'json')
  return withClient(parsed, keyValueStore, async (session) => {
    const { client, network, signal, timeoutMs } = session
    const { all, quorum, isVoter } = membershipOf(network.epoch)
    await client.ready({ replicas: all.length, deadlineMs: Math.min(patienceMs, timeoutMs) })
    let code: number
    do {
      const seen = await look(session, Math.min(patienceMs, timeoutMs))
      // Ctrl-C has ended the client, and nobody has answered for that reason.
      if (signal.aborted) return exitCode.interrupted
      const answering = seen.filter(({ replica, report }) => report !== null && isVoter(replica)).length
      code = answering >= quorum ? exitCode.ok : exitCode.failed
      if (isJson)
        output.out(JSON.stringify({ ...summaryOf(session), answering, quorum, replicas: seen.map(asJson(seen)) }))
      else print(session, seen, answering, quorum, flag(parsed, 'watch'), output)
      if (flag(parsed, 'watch')) await new Promise((resolve) => setTimeout(resolve, watchPauseMs))
    } while (flag(parsed, 'watch') && !signal.aborted)
    return code
  })
}

function look({ client, network }: StoreSession, deadlineMs: number): Promise<SeenReplica[]> {
  return Promise.all(
    network.epoch.members.map(async ({ id, name }) => {
      const askedMs = performance.now()
      // A question to somebody who is away would wait for all of its time.
      const said = client.connected().includes(id) ? await client.status(id, { deadlineMs }) : null
      const report = said === null ? null : readReport(said)
      const roundTripMs = report === null ? null : Math.round(performance.now() - askedMs)
      return { replica: id, name, report, roundTripMs }
    }),
  )
}

function summaryOf({ network }: StoreSession): { network: string; protocol: string } {
  return { network: network.name, protocol: network.epoch.protocol }
}

function asJson(seen: readonly SeenReplica[]): (one: SeenReplica) => object {
  const highest = highestDecided(seen)
  return ({ replica, name, report, roundTripMs }) => ({
    replica,
    name,
    ...(report === null ? { role: 'away' } : { ...report, behind: behind(report, highest), roundTripMs }),
  })
}

function print(
  { network }: StoreSession,
  seen: readonly SeenReplica[],
  answering: number,
  quorum: number,
  isWatched: boolean,
  output: Output,
): void {
  const redraws = isWatched && process.stdout.isTTY === true
  if (redraws) process.stdout.write('\u001b[H\u001b[2J')
  for (const line of statusTable(seen, network.epoch.protocol)) output.out(line)
  for (const { replica, report } of seen) {
    for (const warning of report?.warnings ?? []) output.out(`replica ${replica} ${warning}`)
  }
  if (answering < quorum) {
    output.error(`${answering} of ${seen.length} replicas answer, and a quorum is ${quorum}: start those that are away`)
  }
  if (isWatched && !redraws) output.out('')
}
