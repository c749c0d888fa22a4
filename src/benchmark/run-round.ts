// Runs one round in a process of its own, and hears from it line by line. However it ends, the process has ended when this returns.

import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { RoundLine } from './round.ts'

export interface RoundCommand {
  file: string
  args: readonly string[]
  environment?: Readonly<Record<string, string>>
}

export interface RoundOptions {
  /** Then it hangs, and is ended. */
  patienceMs: number
  /** Ends it at once. */
  signal: AbortSignal
  onLine: (line: RoundLine) => void
  /** What it may take to stop all that it has started, before it is ended. */
  stopMs?: number
}

const stopMsDefault = 10_000
const wordsMax = 300

/** Resolves with a sentence about what went wrong, or null. What was heard before counts all the same. */
export async function runRound(command: RoundCommand, options: RoundOptions): Promise<string | null> {
  const { patienceMs, signal, onLine, stopMs = stopMsDefault } = options
  if (signal.aborted) return interrupted
  // A channel tells the child when its parent is gone. Its own group keeps the terminal's Ctrl-C from it: it is told by us, once.
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
    env: { ...process.env, ...command.environment },
  })
  const ended = endOf(child)
  let [failure, lastWords]: [string | null, string] = [null, '']
  createInterface({ input: child.stderr! }).on('line', (line) => (lastWords = line.slice(0, wordsMax)))
  const heard = createInterface({ input: child.stdout! })
  heard.on('line', (text) => {
    const line = lineOf(text)
    if (line === null) failure ??= `it said what no round says: ${text.slice(0, wordsMax)}`
    else if (line.kind === 'failed') failure ??= line.sentence
    else onLine(line)
  })
  const allHeard = new Promise<void>((resolve) => heard.on('close', resolve))
  let kill: ReturnType<typeof setTimeout> | undefined
  const stop = (why: string): void => {
    failure ??= why
    child.kill('SIGTERM')
    kill ??= setTimeout(() => child.kill('SIGKILL'), stopMs)
  }
  const interrupt = (): void => stop(interrupted)
  signal.addEventListener('abort', interrupt)
  const patience = setTimeout(() => stop(`it was not done after ${Math.round(patienceMs / 1000)} s`), patienceMs)
  const how = await ended
  await allHeard
  clearTimeout(patience)
  clearTimeout(kill)
  signal.removeEventListener('abort', interrupt)
  if (how !== null) failure ??= `its process ended with ${how}${lastWords === '' ? '' : `: ${lastWords}`}`
  return failure
}

const interrupted = 'it was interrupted'

/** Resolves with how it ended; null if well. */
function endOf(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      // A process that never started has no end to wait for.
      if (child.pid === undefined) resolve(error.message)
    })
    child.on('exit', (code, signal) => resolve(code === 0 ? null : (signal ?? `code ${code}`)))
  })
}

/** It is ours, but a library in it may have printed something. */
function lineOf(text: string): RoundLine | null {
  try {
    const line = JSON.parse(text) as RoundLine
    return ['started', 'measured', 'checked', 'failed'].includes(line.kind) ? line : null
  } catch {
    return null
  }
}
