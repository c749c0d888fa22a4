// Delays between processes of one machine: a network namespace of our own, whose loopback takes half a round trip for each packet.

import { execFileSync } from 'node:child_process'
import { Failure } from '../cli/failure.ts'
import type { RoundCommand } from './run-round.ts'

export interface NetworkNamespace {
  /** The command that runs another inside. */
  wrapped(command: RoundCommand): RoundCommand
  remove(): void
}

/** Runs a command of the system; throws if it fails. */
export type RunCommand = (file: string, args: readonly string[]) => void

/** A full queue drops, and a dropped packet waits for a timer of TCP: far more than ever is under way. */
const packetsMax = 1_000_000

export function createNetworkNamespace(roundTripMs: number, run: RunCommand = runQuietly): NetworkNamespace {
  const name = `quorate-${process.pid}`
  const inside = (...args: string[]): void => run('ip', ['-n', name, ...args])
  const remove = (): void => {
    try {
      run('ip', ['netns', 'delete', name])
    } catch {
      // It was never made, or somebody else removed it.
    }
  }
  try {
    run('ip', ['netns', 'add', name])
    inside('link', 'set', 'lo', 'up')
    run('tc', ['-n', name, ...delay(roundTripMs)])
  } catch (cause) {
    remove()
    throw refusal(cause)
  }
  return {
    wrapped: ({ file, args, ...rest }) => ({ file: 'ip', args: ['netns', 'exec', name, file, ...args], ...rest }),
    remove,
  }
}

/** What crosses the loopback waits once on each way. */
function delay(roundTripMs: number): string[] {
  const half = `${(roundTripMs * 1000) / 2}us`
  return ['qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', half, 'limit', String(packetsMax)]
}

function runQuietly(file: string, args: readonly string[]): void {
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

function refusal(cause: unknown): Failure {
  const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim().split('\n')[0]! : String(cause)
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
  return new Failure(
    'ERR_NETEM',
    `--round-trip-ms needs root and the commands ip and tc of iproute2 with netem (${missing ? 'they are not installed' : said}): run it as root, or leave it out`,
  )
}
